"""`veldwatch token` and the refusals of `veldwatch api run`."""

import socket

import pytest
from typer.testing import CliRunner

from api.commands import token_app
from launch.commands.api import app
from tests.integration.api import world
from veldwatch.errors import ConfigurationInvalid, NotFound
from veldwatch.storage.connection import Connection
from veldwatch.storage.tokens import Role, find_bearer

run = CliRunner().invoke


@pytest.fixture(autouse=True)
def environment(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VELDWATCH_DSN", dsn)


def test_a_token_is_made_listed_without_itself_and_revoked(connection: Connection) -> None:
    world.build(connection)
    made = run(token_app, ["create", "--name", "desk", "--role", "operator", "--organisation", "demo-water"])
    assert made.exit_code == 0
    token = made.stdout.strip()
    assert token.startswith("vw_")
    assert len(token) == 46
    bearer = find_bearer(connection, token)
    assert bearer is not None
    assert (bearer.name, bearer.role, bearer.organisation) == ("desk", Role.OPERATOR, "demo-water")
    connection.rollback()
    listed = run(token_app, ["list"]).stdout
    line = next(line for line in listed.splitlines() if line.endswith("  desk"))
    assert "valid" in line
    assert "demo-water" in line
    assert token not in listed
    assert run(token_app, ["revoke", line.split()[0]]).exit_code == 0
    assert find_bearer(connection, token) is None


def test_what_cannot_be_made_is_refused_with_a_reason() -> None:
    unknown = run(token_app, ["create", "--name", "x", "--organisation", "none"])
    assert isinstance(unknown.exception, NotFound)
    assert "'none'" in str(unknown.exception)
    assert isinstance(run(token_app, ["create", "--name", " "]).exception, ConfigurationInvalid)
    assert isinstance(run(token_app, ["revoke", "99"]).exception, NotFound)
    assert run(token_app, ["create", "--name", "x", "--role", "king"]).exit_code == 2


def test_the_api_refuses_to_start_without_a_database_or_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("VELDWATCH_API_PORT", str(taken.getsockname()[1]))
        refused = run(app, ["run"]).exception
        assert isinstance(refused, ConfigurationInvalid)
        assert "VELDWATCH_API_PORT" in str(refused)
    monkeypatch.setenv("VELDWATCH_DSN", "")
    assert "VELDWATCH_DSN" in str(run(app, ["run"]).exception)
