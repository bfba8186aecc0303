"""`veldwatch corrections` as it is typed, on a real database."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.launch.command import Shell
from tests.integration.veldwatch.storage.telemetry import make_series, write
from veldwatch.model.identifiers import SeriesId
from veldwatch.model.register import Device
from veldwatch.storage import maintenance, register
from veldwatch.storage.connection import Connection

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
WHEN = AT.isoformat()
PHOTOGRAPH = ("--reason", "photograph")


@pytest.fixture
def series(shell: Shell, connection: Connection) -> SeriesId:  # noqa: ARG001  # the shell's settings come first
    found = make_series(connection, "m-1")
    write(connection, found, [(AT, 900.0), (AT + timedelta(minutes=1), 10.0)])
    maintenance.run_once(connection, AT)
    return found


def _counts(connection: Connection) -> list[float]:
    maintenance.run_once(connection, AT)
    rows = connection.execute("SELECT value FROM reading_validated ORDER BY observed_at").fetchall()
    connection.commit()
    return [value for (value,) in rows]


@pytest.mark.usefixtures("series")
def test_a_value_is_corrected_listed_and_withdrawn(shell: Shell, connection: Connection) -> None:
    add = ("corrections", "add", "m-1", "volume", WHEN)
    assert shell.said(*add, "9.5", *PHOTOGRAPH, "--method", "from-photograph") == "1 corrected\n"
    assert shell.said(*add, "9.5", *PHOTOGRAPH) == "that counts already\n"
    assert _counts(connection) == [9.5, 10]
    assert connection.execute("SELECT maximum FROM reading_hourly").fetchone() == (10,)
    connection.commit()
    assert shell.said(*add, "9.6", "--reason", "read again") == "1 corrected\n"
    assert shell.said("corrections", "withdraw", "m-1", "volume", WHEN, "--reason", "a joke") == "withdrawn\n"
    assert _counts(connection) == [900, 10]
    lines = [line.split("\t") for line in shell.said("corrections", "list", "m-1", "volume").splitlines()]
    assert [line[:4] for line in lines] == [
        [WHEN, "version 1", "9.5 for 900", "counts no more"],
        [WHEN, "version 2", "9.6 for 900", "counts no more"],
        [WHEN, "version 3", "9.6 for 900", "withdrawal"],
    ]
    assert [line[4].split(", ")[-1] for line in lines] == [
        "from-photograph: photograph",
        "manual: read again",
        "withdrawal: a joke",
    ]


@pytest.mark.usefixtures("series")
def test_an_estimate_counts_where_nothing_was_said(shell: Shell, connection: Connection) -> None:
    later = (AT + timedelta(minutes=2)).isoformat()
    assert shell.said("corrections", "add", "m-1", "volume", later, "11", *PHOTOGRAPH) == "1 corrected\n"
    assert _counts(connection) == [900, 10, 11]
    assert "\t11 for nothing\tcounts\t" in shell.said("corrections", "list", "m-1", "volume")


@pytest.mark.usefixtures("series")
def test_a_value_below_nought_needs_the_two_dashes_that_end_options(shell: Shell, connection: Connection) -> None:
    assert shell.said("corrections", "add", *PHOTOGRAPH, "--", "m-1", "volume", WHEN, "-9.5") == "1 corrected\n"
    assert _counts(connection) == [-9.5, 10]


@pytest.mark.usefixtures("series")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "m-9", "volume", WHEN, "1", *PHOTOGRAPH), "no series 'm-9' 'volume'"),
        (("add", "m-1", "flow", WHEN, "1", *PHOTOGRAPH), "no series 'm-1' 'flow'"),
        (("add", "m-1", "volume", "yesterday", "1", *PHOTOGRAPH), "bad AT: 'yesterday' (expected ISO 8601"),
        (("add", "m-1", "volume", "2999-01-01", "1", *PHOTOGRAPH), "expected a time that has come"),
        (("add", "m-1", "volume", WHEN, "nan", *PHOTOGRAPH), "bad value: nan (expected a number from"),
        (("add", "m-1", "volume", WHEN, "inf", *PHOTOGRAPH), "bad value: inf (expected a number from"),
        (("add", "m-1", "volume", WHEN, "much", *PHOTOGRAPH), "Input should be a valid number"),
        (("add", "m-1", "volume", WHEN, "1"), "Missing option '--reason'"),
        (("add", "m-1", "volume", WHEN, "1", "--reason", " "), "bad reason: ' '"),
        (("add", "m-1", "volume", WHEN, "1", *PHOTOGRAPH, "--method", " "), "bad method: ' '"),
        (("withdraw", "m-1", "volume", WHEN, *PHOTOGRAPH), "no correction of series"),
        (("list", "m-9", "volume"), "no series 'm-9' 'volume'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(shell: Shell, arguments: tuple[str, ...], words: str) -> None:
    assert words in shell.refused("corrections", *arguments)
    assert shell.said("corrections", "list", "m-1", "volume") == ""


def test_of_two_devices_of_one_name_the_organisation_decides(
    shell: Shell, connection: Connection, series: SeriesId
) -> None:
    other = register.ensure_organisation(connection, "other")
    device = register.ensure_device(connection, Device(organisation_id=other, external_id="m-1", source="veldwatch"))
    register.ensure_series(connection, [(device, "volume", "m3")])
    connection.commit()
    add = ("corrections", "add", "m-1", "volume", WHEN, "9.5", *PHOTOGRAPH)
    assert "several organisations have a device 'm-1' (name the organisation)" in shell.refused(*add)
    assert shell.said(*add, "--organisation", "kasama") == "1 corrected\n"
    assert connection.execute("SELECT series_id FROM correction").fetchall() == [(series,)]
