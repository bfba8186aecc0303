"""Storage's own tests run on each kind of server: `dsn` and `connection` are those of `server_kind`.

A test that needs several connections at a time, or several databases, asks for plain PostgreSQL:
`@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)`.
"""

from collections.abc import Generator

import pytest

from tests.conftest import KINDS, database_of
from veldwatch.storage.connection import Connection, connect


@pytest.fixture(params=KINDS)
def server_kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def dsn(server_kind: str, request: pytest.FixtureRequest) -> Generator[str]:
    with database_of(server_kind, request) as address:
        yield address


@pytest.fixture
def connection(dsn: str) -> Generator[Connection]:
    with connect(dsn, application="tests", prepare=False) as opened:
        yield opened
