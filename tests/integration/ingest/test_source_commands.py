"""`veldwatch sources`, as an operator types it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from launch.cli import application
from veldwatch.errors import ConfigurationInvalid, NotFound
from veldwatch.storage.connection import Connection
from veldwatch.storage.sources import list_sources

FILE = """
name: loggers
topic_filter: town/+/state
decoder: mapping
organisation: town
register_unknown: true
priority: 5
options:
  device: "{topic[1]}"
  time: $.at
  metrics:
  - {name: pump_on, value: $.pump, values: {ON: 1, OFF: 0}}
  - {name: level, value: $.level, unit: cm, implausible: [-1]}
  position: {longitude: $.lon, latitude: $.lat, speed: $.kmh, speed_unit: km/h}
  events:
  - {kind: tamper, when: {path: $.cover, equals: open}}
"""
PAYLOAD = {
    "at": "2026-03-01T10:00:00Z",
    "pump": "ON",
    "level": -1,
    "lon": 31.5,
    "lat": -10.2,
    "kmh": 36,
    "cover": "open",
}
Run = Callable[..., Result]


@pytest.fixture
def run(dsn: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("VELDWATCH_DSN", dsn)

    def invoke(*words: str, given: str = "", code: int = 0) -> Result:
        result = CliRunner().invoke(application("sources"), ["sources", *words], input=given)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    return invoke


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "loggers.yaml"
    path.write_text(FILE)
    return str(path)


def test_a_source_is_tried_before_it_is_stored(run: Run, file: str) -> None:
    shown = run("try", "--file", file, "--topic", "town/l7/state", given=json.dumps(PAYLOAD)).output.splitlines()
    assert shown == [
        "source    loggers (mapping), organisation town",
        "device    l7  is not registered: it would be",
        "reading   l7  pump_on = 1.0  at 2026-03-01T10:00:00+00:00",
        "reading   l7  level = -1.0 cm  at 2026-03-01T10:00:00+00:00  (implausible)",
        "position  l7  31.5, -10.2  speed 10 m/s  at 2026-03-01T10:00:00+00:00",
        "event     l7  tamper {}  at 2026-03-01T10:00:00+00:00",
        "all of it would be stored",
    ]


def test_a_trial_that_fails_says_why_and_gives_exit_code_1(run: Run, file: str) -> None:
    given = json.dumps({**PAYLOAD, "level": "high"})
    result = run("try", "loggers", "--file", file, "--topic", "town/l7/state", "--json", given=given, code=1)
    tried = json.loads(result.output)
    assert tried["outcome"] == "stored_in_part"
    assert tried["rejections"] == [{"reason": "bad_value", "detail": "'level' at $.level: 'high' (expected a number)"}]


def test_a_definition_is_tried_without_a_database(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VELDWATCH_DSN", raising=False)
    words = ["sources", "try", "--file", file, "--json"]
    result = CliRunner().invoke(application("sources"), words, input=json.dumps(PAYLOAD))
    assert json.loads(result.output)["devices"] == [{"device": "x", "state": "not_checked"}]


def test_sources_are_applied_shown_listed_and_removed(run: Run, file: str, connection: Connection) -> None:
    assert run("apply", file, "--author", "me").output == "loggers: stored\n"
    assert run("apply", file).output == "loggers: as it was\n"
    (stored,) = list_sources(connection)
    connection.rollback()
    assert (stored.priority, stored.updated_by) == (5, "me")
    shown = run("show", "loggers").output
    Path(file).write_text(shown)
    assert run("apply", file).output == "loggers: as it was\n"
    assert run("list").output.splitlines()[0].split()[:4] == ["5", "loggers", "town/+/state", "mapping"]
    listed = json.loads(run("list", "--json").output)["sources"]
    assert [source["priority"] for source in listed][:2] == [5, None]
    connection.execute("UPDATE source SET decoder = 'uninstalled'")
    connection.commit()
    assert "cannot work: decoder 'uninstalled': unknown" in run("list").output.splitlines()[0]
    run("remove", "loggers")
    connection.rollback()
    assert list_sources(connection) == []


def test_a_source_of_the_settings_is_shown_so_that_it_can_be_changed(run: Run) -> None:
    assert "topic_filter: wmbusmeters/#" in run("show", "wmbusmeters").output


def test_of_several_sources_all_are_stored_or_none(run: Run, tmp_path: Path, connection: Connection) -> None:
    good = "{name: a, topic_filter: a, decoder: veldwatch}"
    path = tmp_path / "two.yaml"
    path.write_text(f"[{good}, {{name: b, topic_filter: b, decoder: unheard-of}}]")
    with pytest.raises(ConfigurationInvalid, match="unheard-of"):
        run("apply", str(path))
    assert list_sources(connection) == []


@pytest.mark.parametrize("words", [("show", "nobody"), ("remove", "nobody"), ("try", "nobody")])
def test_a_source_that_is_not_there_is_not_found(run: Run, words: tuple[str, ...]) -> None:
    with pytest.raises(NotFound):
        run(*words)


def test_a_file_that_is_none_is_named(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid, match=r"bad file '.*nothing\.yaml'"):
        run("apply", str(tmp_path / "nothing.yaml"))
