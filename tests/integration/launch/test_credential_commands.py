"""`veldwatch credentials` and `veldwatch broker accounts --once`."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from launch.commands.broker import app as broker_app
from launch.commands.credentials import app
from veldwatch.errors import ConfigurationInvalid, NotFound
from veldwatch.model.register import Device
from veldwatch.storage import credentials, register
from veldwatch.storage.connection import Connection
from veldwatch.wire.broker_accounts import MARKER

run = CliRunner().invoke


@pytest.fixture(autouse=True)
def register_of_one(dsn: str, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VELDWATCH_DSN", dsn)
    organisation = register.ensure_organisation(connection, "kasama-water")
    register.ensure_device(connection, Device(organisation_id=organisation, external_id="meter-1", source="veldwatch"))
    connection.commit()


def _create(*arguments: str) -> dict[str, str]:
    done = run(app, ["create", "--organisation", "kasama-water", *arguments])
    assert done.exit_code == 0, done.output
    return dict(line.split(maxsplit=1) for line in done.stdout.splitlines())


def test_a_credential_is_made_listed_without_its_secret_rotated_and_revoked(connection: Connection) -> None:
    made = _create("meter-1", "--note", "on the roof")
    assert made["secret"].startswith("vd_")
    rotated = run(app, ["rotate", made["credential"], "--hours", "2"])
    assert rotated.exit_code == 0
    assert "lets in until" in rotated.stdout
    assert run(app, ["revoke", made["credential"]]).exit_code == 0
    first, second = run(app, ["list"]).stdout.splitlines()
    assert made["secret"] not in first
    assert "revoked" in first
    assert "on the roof" in second
    assert len(credentials.accounts_in_force(connection)) == 1


def test_what_does_not_exist_is_named() -> None:
    assert isinstance(run(app, ["create", "nobody", "--organisation", "kasama-water"]).exception, NotFound)
    assert isinstance(run(app, ["revoke", "99"]).exception, NotFound)


def test_the_accounts_of_both_brokers_are_written(tmp_path: Path) -> None:
    meter, gateway = _create("meter-1"), _create("--publish", "application/#")
    base = tmp_path / "base.conf"
    base.write_text(f"users: [\n{MARKER}\n]\n", encoding="utf-8")
    done = run(broker_app, ["accounts", str(tmp_path), "--base", str(base), "--once"])
    assert done.exit_code == 0, done.output
    assert "2 accounts" in done.stdout
    users = (tmp_path / "users.conf").read_text(encoding="utf-8")
    assert run(broker_app, ["accounts", str(tmp_path), "--kind", "mosquitto", "--once"]).exit_code == 0
    passwords = (tmp_path / "passwords").read_text(encoding="ascii")
    for name in (meter["name"], gateway["name"]):
        assert name in users
        assert f"{name}:$7$" in passwords
        assert f"user {name}\n" in (tmp_path / "acl").read_text(encoding="utf-8")
    assert meter["secret"] not in users + passwords


def test_nats_needs_the_programs_own_accounts(tmp_path: Path) -> None:
    for base in ((), ("--base", str(tmp_path / "missing"))):
        assert isinstance(run(broker_app, ["accounts", str(tmp_path), *base, "--once"]).exception, ConfigurationInvalid)
    assert list(tmp_path.iterdir()) == []
