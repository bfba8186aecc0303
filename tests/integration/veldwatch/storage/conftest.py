"""Storage's own tests run on each kind of server: `dsn` and `connection` are those of `server_kind`.

A test that needs several connections at a time, or several databases, asks for plain PostgreSQL:
`@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)`.
"""

import os
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from tests import databases
from tests.conftest import ABSENT, USED
from tests.databases import Template
from tests.timescale.installation import TimescaleAbsent, timescale_server
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.migrate import migrate

_NAMED = os.environ.get("VELDWATCH_TEST_TIMESCALE_DSN")
KINDS = ["plain", "timescaledb-community", *(["timescaledb-named"] if _NAMED else [])]


@pytest.fixture(scope="session")
def wasm_dsn(pytestconfig: pytest.Config) -> Generator[str]:
    """Give the DSN of the one migrated database of the TimescaleDB test server."""
    with ExitStack() as stack:
        try:
            dsn = stack.enter_context(timescale_server())
        except TimescaleAbsent as error:
            pytestconfig.stash[ABSENT].add(f"timescaledb-community: {error}")
            if os.environ.get("CI") == "true":
                pytest.fail(str(error))
            pytest.skip(str(error))
        with connect(dsn, application="tests", prepare=False) as connection:
            report = migrate(connection)
        pytestconfig.stash[USED].add(f"{report.server}, in WebAssembly")
        yield dsn


@pytest.fixture(scope="session")
def named_template(pytestconfig: pytest.Config) -> Generator[Template]:
    assert _NAMED is not None
    with databases.template(_NAMED) as made:
        pytestconfig.stash[USED].add(made.description)
        yield made


@pytest.fixture(params=KINDS)
def server_kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def dsn(server_kind: str, request: pytest.FixtureRequest) -> Generator[str]:
    if server_kind == "timescaledb-community":
        address: str = request.getfixturevalue("wasm_dsn")
        with connect(address, prepare=False) as connection:
            databases.empty_tables(connection)
        yield address
        return
    with databases.clone(
        request.getfixturevalue("template" if server_kind == "plain" else "named_template")
    ) as address:
        yield address


@pytest.fixture
def connection(dsn: str) -> Generator[Connection]:
    with connect(dsn, application="tests", prepare=False) as opened:
        yield opened
