"""Which errors of the driver are worth another try."""

import psycopg
import pytest
from psycopg import errors

from veldwatch.errors import StorageRejected, StorageUnavailable
from veldwatch.storage.connection import connect, split_password, translate, translated_errors


@pytest.mark.parametrize(
    "error",
    [
        errors.AdminShutdown(),  # 57P01
        errors.CannotConnectNow(),  # 57P03
        errors.ConnectionFailure(),  # 08006
        errors.DeadlockDetected(),  # 40P01
        errors.DiskFull(),  # 53100
        errors.IoError(),  # 58030
        errors.InternalError_(),  # XX000
        errors.LockNotAvailable(),  # 55P03
        errors.QueryCanceled(),  # 57014
        errors.ReadOnlySqlTransaction(),  # 25006
        errors.SerializationFailure(),  # 40001
        errors.TooManyConnections(),  # 53300
        psycopg.InterfaceError("the connection is closed"),
        psycopg.OperationalError("server closed the connection unexpectedly"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_server_in_trouble_is_temporary(error: psycopg.Error) -> None:
    assert type(translate(error)) is StorageUnavailable


@pytest.mark.parametrize(
    "error",
    [
        errors.CheckViolation(),  # 23514
        errors.ConfigurationLimitExceeded(),  # 53400
        errors.InsufficientPrivilege(),  # 42501
        errors.NotNullViolation(),  # 23502
        errors.NumericValueOutOfRange(),  # 22003
        errors.SyntaxError(),  # 42601
        errors.UndefinedTable(),  # 42P01
        errors.UniqueViolation(),  # 23505
        errors.UntranslatableCharacter(),  # 22P05
        psycopg.DataError("cannot dump a lone surrogate"),
        psycopg.ProgrammingError("the query has 2 placeholders but 1 parameters were passed"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_statement_or_value_that_is_wrong_is_permanent(error: psycopg.Error) -> None:
    assert type(translate(error)) is StorageRejected


def test_the_message_begins_with_the_code_and_the_cause_is_kept() -> None:
    with pytest.raises(StorageRejected, match=r"^23505: twice") as raised, translated_errors():
        raise errors.UniqueViolation("twice\n")
    assert isinstance(raised.value.__cause__, errors.UniqueViolation)
    assert str(translate(psycopg.OperationalError("gone"))) == "no answer: gone"


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://u:s3cr%zz@h/v",
        "postgresql://u:s3cret/more@h/v",
        "postgresql://u:more@s3cret@h/v",
        "host=h password=more s3cret",
        "host=h password='s3cret",
    ],
)
def test_a_password_that_makes_an_address_unreadable_is_not_shown(dsn: str) -> None:
    for read in (connect, split_password):
        with pytest.raises(StorageRejected, match="bad VELDWATCH_DSN: a secret") as caught:
            read(dsn)
        assert "s3cr" not in str(caught.value)
