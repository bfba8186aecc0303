"""The command line on a real database."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rules.commands import app
from tests.integration.rules.feed import Engineer, Feed
from veldwatch.storage.connection import Connection
from veldwatch.storage.rules import get_rule

RULE = """\
id: town.high
title: High
severity: major
select: {organisation: town}
condition: {kind: threshold, metric: value, above: 5}
"""
START = datetime(2026, 3, 1, 21, tzinfo=UTC)


@pytest.fixture
def cli(dsn: str, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("VELDWATCH_DSN", dsn)
    return CliRunner()


@pytest.fixture
def rule_file(tmp_path: Path) -> Path:
    path = tmp_path / "high.yaml"
    path.write_text(RULE, encoding="utf-8")
    return path


def test_rules_are_applied_once_and_listed(cli: CliRunner, feed: Feed, rule_file: Path) -> None:
    assert feed.organisation
    for _ in range(2):
        assert cli.invoke(app, ["apply", str(rule_file)]).output == "town.high version 1\n"
    assert cli.invoke(app, ["list"]).output == "town.high\tversion 1\tenabled\tmajor\tthreshold\n"


def test_what_a_rule_detects_is_stored_without_a_new_version(
    cli: CliRunner, feed: Feed, connection: Connection, rule_file: Path
) -> None:
    assert feed.organisation
    for detects in ("", "detects: [leak]\n", "detects: [burst]\n"):
        rule_file.write_text(RULE + detects, encoding="utf-8")
        assert cli.invoke(app, ["apply", str(rule_file)]).output == "town.high version 1\n"
    assert get_rule(connection, "town.high").rule.detects == ("burst",)


def test_a_back_test_of_a_file_says_what_it_would_have_raised(cli: CliRunner, feed: Feed, rule_file: Path) -> None:
    feed.device("d1", ["value"])
    feed.readings("value", [("d1", START + timedelta(hours=n), v) for n, v in enumerate([1, 9, 1, 1, 7, 7])])
    asked = ["backtest", str(rule_file), "--from", "2026-03-01", "--to", "2026-03-08", "--timezone", "Africa/Lusaka"]
    answer = json.loads(cli.invoke(app, [*asked, "--json"]).output)
    assert (answer["count"], answer["per_week"], answer["at_night"]) == (2, 2.0, 2)
    assert [alert["state"] for alert in answer["alerts"]] == ["resolved", "firing"]
    spoken = cli.invoke(app, asked).output
    assert "2 alerts, 2.0 a week, 2 at night" in spoken


def test_a_back_test_of_a_stored_rule_writes_nothing(
    cli: CliRunner, feed: Feed, engineer: Engineer, rule_file: Path
) -> None:
    feed.device("d1", ["value"])
    feed.readings("value", [("d1", START, 9.0)])
    cli.invoke(app, ["apply", str(rule_file)])
    assert json.loads(cli.invoke(app, ["backtest", "town.high", "--from", "2026-03-01", "--json"]).output)["count"] == 1
    assert engineer.final() == set()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--from", "yesterday"], "bad --from: 'yesterday'"),
        (["--from", "2026-03-02", "--to", "2026-03-01"], "bad --to"),
        (["--from", "2026-03-02", "--timezone", "Mars/Olympus"], "bad --timezone: 'Mars/Olympus'"),
    ],
)
def test_a_wrong_option_is_named(cli: CliRunner, rule_file: Path, options: list[str], complaint: str) -> None:
    result = cli.invoke(app, ["backtest", str(rule_file), *options])
    assert complaint in str(result.exception)


def test_an_unknown_rule_is_named(cli: CliRunner) -> None:
    result = cli.invoke(app, ["backtest", "none.such", "--from", "2026-03-01"])
    assert "no rule 'none.such'" in str(result.exception)
