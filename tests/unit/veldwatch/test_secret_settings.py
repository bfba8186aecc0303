"""Secrets come from files that variables name; a mistake is said without the secret."""

from pathlib import Path

import pytest

from veldwatch.config import Settings, load_settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.secret_settings import is_secret, with_password


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave no setting of the machine, and a home without a file."""
    for name in ("CONFIG", "DSN", "DSN_PASSWORD", "MQTT_PASSWORD", "SMTP_PASSWORD"):
        monkeypatch.delenv(f"VELDWATCH_{name}", raising=False)
        monkeypatch.delenv(f"VELDWATCH_{name}_FILE", raising=False)
    monkeypatch.setenv("VELDWATCH_HOME", str(tmp_path))


def _name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str, content: bytes) -> Path:
    path = tmp_path / setting
    path.write_bytes(content)
    monkeypatch.setenv(f"VELDWATCH_{setting.upper()}_FILE", str(path))
    return path


@pytest.mark.parametrize("content", [b"pqr7", b"pqr7\n", b"pqr7\r\n"])
def test_a_secret_is_read_from_the_file_without_its_line_end(
    content: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _name(monkeypatch, tmp_path, "mqtt_password", content)
    assert load_settings().mqtt_password == "pqr7"


def test_the_file_goes_before_an_empty_variable_and_before_the_settings_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "veldwatch.toml").write_text('smtp_password = "old"\n', encoding="utf-8")
    monkeypatch.setenv("VELDWATCH_SMTP_PASSWORD", "")
    _name(monkeypatch, tmp_path, "smtp_password", b"new")
    assert load_settings().smtp_password == "new"


def test_an_empty_file_is_an_empty_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _name(monkeypatch, tmp_path, "smtp_password", b"")
    assert load_settings().smtp_password == ""


def test_both_at_once_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _name(monkeypatch, tmp_path, "mqtt_password", b"one")
    monkeypatch.setenv("VELDWATCH_MQTT_PASSWORD", "two")
    with pytest.raises(ConfigurationInvalid, match="VELDWATCH_MQTT_PASSWORD_FILE are both set"):
        load_settings()


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _name(monkeypatch, tmp_path, "mqtt_password", b"x").unlink()
    with pytest.raises(ConfigurationInvalid, match=r"bad VELDWATCH_MQTT_PASSWORD_FILE: .*No such file"):
        load_settings()


@pytest.mark.parametrize("content", [b"two\nlines", b"\xff\xfe", b"p" * 9000, b"nul\0"])
def test_what_is_no_line_of_text_is_refused_and_not_shown(
    content: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _name(monkeypatch, tmp_path, "mqtt_password", content)
    with pytest.raises(ConfigurationInvalid, match="bad VELDWATCH_MQTT_PASSWORD_FILE") as caught:
        load_settings()
    assert content.decode(errors="replace")[:5] not in str(caught.value)


def test_only_secrets_have_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _name(monkeypatch, tmp_path, "mqtt_host", b"elsewhere")
    assert load_settings().mqtt_host == "127.0.0.1"
    assert {name for name, field in Settings.model_fields.items() if is_secret(field)} == {
        "dsn",
        "dsn_password",
        "mqtt_client_id",
        "mqtt_password",
        "smtp_password",
    }


def test_the_password_of_the_database_is_put_into_its_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VELDWATCH_DSN", "postgresql://veldwatch@db:5432/veldwatch?sslmode=disable")
    _name(monkeypatch, tmp_path, "dsn_password", b"p/w@1")
    settings = load_settings()
    assert settings.dsn == "postgresql://veldwatch:p%2Fw%401@db:5432/veldwatch?sslmode=disable"
    assert settings.dsn_password == ""


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"DSN": "postgresql://u:s3cret@[::1:5432/v", "DSN_PASSWORD": "s3cret"}, "bad VELDWATCH_DSN: a secret"),
        ({"SOURCES": '[{"name": "s3cret"'}, "bad VELDWATCH_SOURCES: a value that is not shown .expected JSON"),
        ({"SOURCES": '[{"name": "a", "options": {"key": "s3cret"}}]'}, "bad VELDWATCH_SOURCES.0.DECODER: a value that"),
        ({"SOURCES": '[{"options": "s3cret"}]'}, "bad VELDWATCH_SOURCES.0.OPTIONS: a value that is not shown"),
        ({"SOURCES": '[{"token": "s3cret"}]'}, "bad VELDWATCH_SOURCES.0.TOKEN: there is no such setting"),
    ],
)
def test_what_cannot_be_read_is_named_and_not_shown(
    variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"SMTP_PASSWORD": "s3cret", **variables}.items():
        monkeypatch.setenv(f"VELDWATCH_{name}", value)
    with pytest.raises(ConfigurationInvalid, match=said) as caught:
        load_settings()
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'smtp_pasword = "s3cret"\n', r"bad VELDWATCH_SMTP_PASWORD: there is no such setting .*veldwatch\.toml"),
        (b"smtp_password = s3cret\n", r"veldwatch\.toml': no TOML at line 1, column 17"),
        (b'smtp_password = "s3cret\xff"\n', r"veldwatch\.toml': no TOML"),
    ],
)
def test_a_file_that_makes_no_sense_is_named_and_nothing_of_it_shown(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "veldwatch.toml").write_bytes(content)
    with pytest.raises(ConfigurationInvalid, match=said) as caught:
        load_settings()
    assert "s3cret" not in str(caught.value)


def test_a_wrong_secret_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "veldwatch.toml").write_text("mqtt_password = 1234567\n", encoding="utf-8")
    with pytest.raises(ConfigurationInvalid, match="bad VELDWATCH_MQTT_PASSWORD: a secret") as caught:
        load_settings()
    assert "1234567" not in str(caught.value)


@pytest.mark.parametrize(
    ("dsn", "whole"),
    [
        ("postgresql://u@h/d", "postgresql://u:it%27s@h/d"),
        ("postgres://h/d", "postgres://:it%27s@h/d"),
        ("host=h user=u dbname=d", "host=h user=u dbname=d password='it\\'s'"),
        ("host=h sslpassword=z", "host=h sslpassword=z password='it\\'s'"),
        ("host=h options='-c a=b password=c'", "host=h options='-c a=b password=c' password='it\\'s'"),
        ("postgresql://u@h/d?sslpassword=z", "postgresql://u:it%27s@h/d?sslpassword=z"),
    ],
)
def test_both_forms_of_a_connection_string_take_a_password(dsn: str, whole: str) -> None:
    assert with_password(dsn, "it's") == whole


@pytest.mark.parametrize(
    "dsn", ["postgresql://u:p@h/d", "postgresql://u@h/d?password=p", "host=h password = p", "password='a b' host=h"]
)
def test_a_second_password_is_refused(dsn: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="has a password already"):
        with_password(dsn, "x")
