"""Fixtures for every test, and what a run says of itself: which servers it ran on, what it could not run.

`dsn`, `connection`: a migrated database of the test's own. `samples`: the folder of real payloads. Servers start at
the first test that asks for one.

`VELDWATCH_TEST_EDITION=community` gives every test a TimescaleDB with its community features in place of plain
PostgreSQL: the server that `VELDWATCH_TEST_TIMESCALE_DSN` names, else the one in WebAssembly, which has one backend.
What needs more than one is marked `several_backends("why")` and left out there, with a line in the summary.
"""

import logging
import os
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests import databases
from tests.databases import Template
from tests.scheduling import pytest_xdist_make_scheduler  # noqa: F401  # pyright: ignore[reportUnusedImport]  # a hook
from tests.timescale.installation import TimescaleAbsent
from tests.timescale.server import TimescaleServers
from veldwatch.storage.connection import Connection, connect

REPOSITORY = Path(__file__).resolve().parents[1]
USED = pytest.StashKey[set[str]]()
"""Descriptions of the servers that tests ran on."""
ABSENT = pytest.StashKey[set[str]]()
"""Servers that tests asked for in vain, with the reason."""
LEFT_OUT = pytest.StashKey[dict[str, int]]()
"""Why tests need more than the one backend, and how many do."""
COMMUNITY = os.environ.get("VELDWATCH_TEST_EDITION") == "community"
NAMED_TIMESCALE = os.environ.get("VELDWATCH_TEST_TIMESCALE_DSN")
ONE_BACKEND = COMMUNITY and not NAMED_TIMESCALE
EDITION = "plain" if not COMMUNITY else "timescaledb-named" if NAMED_TIMESCALE else "timescaledb-community"
"""The kind of server that tests run on."""
KINDS = (
    [EDITION] if COMMUNITY else ["plain", "timescaledb-community", *(["timescaledb-named"] if NAMED_TIMESCALE else [])]
)
"""The kinds that tests of storage and of dashboards run on."""
NewDatabase = Callable[[], AbstractContextManager[str]]
"""Gives the DSN of one more migrated database of the run's edition, for as long as it is entered."""
_NO_SAMPLES = "samples absent"

# Nothing is judged by time here: whole stacks and a browser run beside the properties, on two cores.
settings.register_profile("veldwatch", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("veldwatch")


@pytest.fixture(autouse=True)
def logs_as_before() -> Generator[None]:
    """Undo `configure_logs`: a command that a test runs within the process sends logs to that test's own streams."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture(scope="session")
def server_dsn() -> Generator[str]:
    """Give the administrator's DSN of the plain server."""
    with databases.server() as dsn:
        yield dsn


@pytest.fixture(scope="session")
def template(server_dsn: str, pytestconfig: pytest.Config) -> Generator[Template]:
    with databases.template(server_dsn) as made:
        pytestconfig.stash[USED].add(made.description)
        yield made


@pytest.fixture(scope="session")
def named_template(pytestconfig: pytest.Config) -> Generator[Template]:
    """Give a migrated database of the TimescaleDB that the environment names."""
    assert NAMED_TIMESCALE is not None
    with databases.template(NAMED_TIMESCALE) as made:
        pytestconfig.stash[USED].add(made.description)
        yield made


@pytest.fixture(scope="session")
def wasm_servers(pytestconfig: pytest.Config) -> Generator[TimescaleServers]:
    """Give the servers of TimescaleDB in WebAssembly."""
    servers = TimescaleServers(pytestconfig.stash[USED].add)
    try:
        yield servers
    finally:
        servers.stop()


@pytest.fixture(scope="session")
def new_database(request: pytest.FixtureRequest) -> NewDatabase:
    """Give migrated databases of the run's edition, as many as are asked for."""
    return lambda: database_of(EDITION, request)


@pytest.fixture(scope="session")
def new_empty_database(request: pytest.FixtureRequest) -> NewDatabase:
    """Give databases of the run's edition without any schema."""
    if ONE_BACKEND:
        servers: TimescaleServers = request.getfixturevalue("wasm_servers")
        return servers.empty
    admin_dsn: str = NAMED_TIMESCALE if COMMUNITY and NAMED_TIMESCALE else request.getfixturevalue("server_dsn")
    return lambda: databases.empty(admin_dsn)


@pytest.fixture
def dsn(new_database: NewDatabase) -> Generator[str]:
    """Give the DSN of a migrated database that only this test uses."""
    with new_database() as address:
        yield address


@contextmanager
def database_of(kind: str, request: pytest.FixtureRequest) -> Generator[str]:
    """Give the DSN of a migrated database of a kind of server, without any rows but those of migrations."""
    with ExitStack() as stack:
        if kind == "timescaledb-community":
            servers: TimescaleServers = request.getfixturevalue("wasm_servers")
            try:
                address = stack.enter_context(servers.database())
            except TimescaleAbsent as error:
                request.config.stash[ABSENT].add(f"timescaledb-community: {error}")
                if os.environ.get("CI") == "true" or COMMUNITY:
                    pytest.fail(str(error))
                pytest.skip(str(error))
        else:
            template: Template = request.getfixturevalue("template" if kind == "plain" else "named_template")
            address = stack.enter_context(databases.clone(template))
        yield address


@pytest.fixture
def connection(dsn: str) -> Generator[Connection]:
    """Give a connection to the test's own database, not in autocommit."""
    with connect(dsn, application="tests") as opened:
        yield opened


@pytest.fixture(scope="session")
def samples() -> Path:
    """Give the folder of real payloads and series: `VELDWATCH_SAMPLES`, else `shared/samples` beside the repository."""
    folder = Path(os.environ.get("VELDWATCH_SAMPLES") or REPOSITORY.parent / "shared" / "samples")
    if not folder.is_dir():
        pytest.skip(f"{_NO_SAMPLES}: {folder} (set VELDWATCH_SAMPLES)")
    return folder


def pytest_configure(config: pytest.Config) -> None:
    config.stash[USED] = set()
    config.stash[ABSENT] = set()
    config.stash[LEFT_OUT] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what one backend cannot do, and say why."""
    if not ONE_BACKEND:
        return
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        mark = item.get_closest_marker("several_backends")
        (kept if mark is None else left_out).append(item)
        if mark is not None:
            reason = str(mark.args[0])
            config.stash[LEFT_OUT][reason] = config.stash[LEFT_OUT].get(reason, 0) + 1
    items[:] = kept
    config.hook.pytest_deselected(items=left_out)


def pytest_sessionfinish(session: pytest.Session) -> None:
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["used"] = sorted(session.config.stash[USED])
        output["absent"] = sorted(session.config.stash[ABSENT])
        output["left_out"] = session.config.stash[LEFT_OUT]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    config: pytest.Config = node.config  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]  # pytest-xdist is untyped
    output: dict[str, Any] = getattr(node, "workeroutput", {})
    config.stash[USED].update(output.get("used", []))  # pyright: ignore[reportUnknownMemberType]
    config.stash[ABSENT].update(output.get("absent", []))  # pyright: ignore[reportUnknownMemberType]
    config.stash[LEFT_OUT].update(output.get("left_out", {}))  # pyright: ignore[reportUnknownMemberType]  # the same of each


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.section("databases")
    terminalreporter.line("; ".join(sorted(config.stash[USED])) or "none: no test asked for one")
    for reason in sorted(config.stash[ABSENT]):
        terminalreporter.line(f"NOT RUN on {reason}", red=True)
    for reason, number in sorted(config.stash[LEFT_OUT].items()):
        terminalreporter.line(f"LEFT OUT on one backend: {number} tests: {reason}")
    skipped: list[pytest.TestReport] = terminalreporter.stats.get("skipped", [])
    count = sum(_NO_SAMPLES in str(report.longrepr) for report in skipped)
    if count:
        terminalreporter.line(f"NOT RUN: {count} tests need the samples folder (set VELDWATCH_SAMPLES)", red=True)
