"""Settings come from the environment over a file, and a wrong one is named with its value."""

from pathlib import Path

import pytest

from veldwatch.config import DEFAULT_SOURCES, load_settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.wire.sources import decoder_names


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave no setting of the machine, and a home without a file."""
    for name in ("VELDWATCH_CONFIG", "VELDWATCH_BATCH_SIZE", "VELDWATCH_API_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VELDWATCH_HOME", str(tmp_path))


def test_defaults_are_valid_and_know_every_format_but_the_one_that_must_be_configured() -> None:
    settings = load_settings()
    assert settings.sources == DEFAULT_SOURCES
    assert {source.decoder for source in settings.sources} == {*decoder_names()} - {"mapping"}


def test_a_file_in_the_home_is_read(tmp_path: Path) -> None:
    (tmp_path / "veldwatch.toml").write_text("batch_size = 7\n", encoding="utf-8")
    assert load_settings().batch_size == 7


def test_the_environment_stands_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "veldwatch.toml").write_text("batch_size = 7\napi_port = 9\n", encoding="utf-8")
    monkeypatch.setenv("VELDWATCH_BATCH_SIZE", "8")
    settings = load_settings()
    assert (settings.batch_size, settings.api_port) == (8, 9)


def test_a_source_can_be_written_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "veldwatch.toml").write_text(
        '[[sources]]\nname = "gateway"\ntopic_filter = "gw/#"\ndecoder = "veldwatch"\norganisation = "town"\n',
        encoding="utf-8",
    )
    assert [source.name for source in load_settings().sources] == ["gateway"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("VELDWATCH_BATCH_SIZE", "0"), ("VELDWATCH_API_PORT", "65536"), ("VELDWATCH_API_PORT", "http")],
)
def test_a_wrong_setting_is_named_with_its_value(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationInvalid, match=f"bad {name}: '{value}'"):
        load_settings()


def test_an_unknown_setting_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "veldwatch.toml").write_text("bach_size = 7\n", encoding="utf-8")
    with pytest.raises(ConfigurationInvalid, match="BACH_SIZE"):
        load_settings()


def test_a_named_file_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VELDWATCH_CONFIG", "/nowhere/veldwatch.toml")
    with pytest.raises(ConfigurationInvalid, match="no such file"):
        load_settings()
