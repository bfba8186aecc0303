"""Brokers are given verifiers of the programs' passwords, and never the passwords."""

from pathlib import Path

import bcrypt
import pytest

from launch.program_accounts import base_files
from veldwatch.errors import ConfigurationInvalid
from veldwatch.verifiers import is_secret_of

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
WORDS = {"ingest": "p1", "devices": "p2", "simulators": "p3"}


@pytest.fixture
def passwords(tmp_path: Path) -> Path:
    for name, word in WORDS.items():
        (tmp_path / f"mqtt_{name}_password").write_text(f"{word}\n", encoding="ascii")
    return tmp_path


def test_nats_gets_a_verifier_for_each_account(passwords: Path) -> None:
    text = base_files("nats", DEPLOY / "nats" / "users.conf", passwords)["users.conf"]
    assert "_PASSWORD" not in text.split("authorization")[1]
    for name, word in WORDS.items():
        verifier = text.split(f'user: {name}, password: "')[1].split('"')[0]
        assert bcrypt.checkpw(word.encode(), verifier.encode())


def test_mosquitto_gets_a_line_for_each_account_of_its_acl(passwords: Path) -> None:
    files = base_files("mosquitto", DEPLOY / "mosquitto" / "acl", passwords)
    found = dict(line.split(":", 1) for line in files["passwords"].splitlines())
    assert set(found) == set(WORDS)
    assert all(is_secret_of(found[name], word) for name, word in WORDS.items())
    assert files["acl"] == (DEPLOY / "mosquitto" / "acl").read_text(encoding="utf-8")


@pytest.mark.parametrize(("kind", "base"), [("nats", "nats/users.conf"), ("mosquitto", "mosquitto/acl")])
def test_an_account_without_a_password_is_refused(kind: str, base: str, passwords: Path) -> None:
    (passwords / "mqtt_devices_password").write_text("", encoding="ascii")
    with pytest.raises(ConfigurationInvalid, match="mqtt_devices_password' is empty"):
        base_files("nats" if kind == "nats" else "mosquitto", DEPLOY / base, passwords)
    (passwords / "mqtt_devices_password").unlink()
    with pytest.raises(ConfigurationInvalid, match="mqtt_devices_password"):
        base_files("nats" if kind == "nats" else "mosquitto", DEPLOY / base, passwords)


def test_without_passwords_the_file_is_taken_as_it_is() -> None:
    path = DEPLOY / "nats" / "users.conf"
    assert base_files("nats", path, None) == {"users.conf": path.read_text(encoding="utf-8")}
    assert base_files("mosquitto", None, None) == {}


def test_nats_needs_a_base(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid, match="no --base"):
        base_files("nats", None, None)
    with pytest.raises(ConfigurationInvalid, match="bad --base"):
        base_files("nats", tmp_path / "none", None)
