"""`veldwatch retention` as it is typed, on a real database."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.launch.command import Shell
from tests.integration.veldwatch.storage.past_its_time import begin_backtest, counts, end_backtest, open_alert
from tests.integration.veldwatch.storage.telemetry import make_series, write
from veldwatch.model.identifiers import SeriesId
from veldwatch.storage import maintenance, register
from veldwatch.storage.connection import Connection

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
OLD = NOW - timedelta(days=400)


@pytest.fixture
def series(shell: Shell, connection: Connection) -> SeriesId:  # noqa: ARG001  # the shell's settings come first
    found = make_series(connection, "m-1")
    write(connection, found, [(begin + timedelta(minutes=n), float(n)) for begin in (OLD, NOW) for n in range(6)])
    maintenance.run_once(connection, NOW)
    return found


def test_a_policy_is_previewed_set_listed_carried_out_and_removed(
    shell: Shell, connection: Connection, series: SeriesId, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = ("reading", "--organisation", "kasama", "--metric", "volume", "--days", "90")
    told = shell.said("retention", "preview", *wanted)
    assert told == f"reading\t6 rows of 1 series or devices, {_minute(OLD)} to {_minute(OLD + timedelta(minutes=5))}\n"
    assert shell.said("retention", "list").splitlines() == [
        "raw telemetry\tany\tfor ever (VELDWATCH_RETENTION_DAYS)",
        "hourly, daily\tany\tfor ever",
    ]
    assert counts(connection) == {series: 12}
    connection.commit()
    assert shell.said("retention", "set", *wanted, "--reason", "agreed") == "reading: 90 days\n"
    assert shell.said("retention", "preview").splitlines()[0] == told.strip()
    assert shell.said("retention", "list").splitlines()[2] == "reading\torganisation kasama, metric volume\t90 days"
    shell.said("maintain", "--once")
    assert counts(connection) == {series: 6}
    connection.commit()
    remove = ("reading", "--organisation", "kasama", "--metric", "volume", "--reason", "over")
    assert shell.said("retention", "remove", *remove) == "reading: policy removed\n"
    monkeypatch.setenv("VELDWATCH_RETENTION_DAYS", "700")
    assert shell.said("retention", "list").splitlines() == [
        "raw telemetry\tany\t700 days (VELDWATCH_RETENTION_DAYS)",
        "hourly, daily\tany\tfor ever",
    ]
    changes = [line.split("\t")[2:] for line in shell.said("retention", "list", "--changes").splitlines()]
    assert changes == [
        ["remove", "reading", "organisation kasama, metric volume", "for ever", "over"],
        ["set", "reading", "organisation kasama, metric volume", "90 days", "agreed"],
    ]


@pytest.mark.usefixtures("series")
def test_for_ever_is_a_policy_too(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VELDWATCH_RETENTION_DAYS", "90")
    assert shell.said("retention", "preview").startswith("reading\t6 rows")
    assert shell.said("retention", "preview", "reading", "--days", "ever") == "reading\t0 rows of 0 series or devices\n"
    assert shell.said("retention", "set", "reading", "--days", "ever", "--reason", "law") == "reading: for ever\n"
    assert shell.said("retention", "preview").startswith("reading\t0 rows of 0")


def test_what_is_held_back_is_told_with_the_reason(
    shell: Shell, connection: Connection, series: SeriesId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VELDWATCH_RETENTION_DAYS", "90")
    assert shell.said("retention", "held") == "nothing is held back\n"
    alert = open_alert(connection, series, OLD)
    backtest = begin_backtest(connection)
    write(connection, series, [(OLD + timedelta(hours=1), 3.0)])
    since = _minute(OLD - timedelta(days=8))
    assert shell.said("retention", "held").splitlines() == [
        f"reading\tm-1 of kasama, all\ta back-test is not over (back-test {backtest})",
        f"reading\tm-1 of kasama, since {since}\tan alert is open: water is lost (alert {alert})",
    ]
    end_backtest(connection, backtest)
    connection.execute("UPDATE alert SET state = 'retracted'")
    connection.commit()
    reason = "has not read all that was said of that time"
    assert re.fullmatch(rf"reading\tall\t(rollups|consumption) {reason}\n", shell.said("retention", "held"))
    assert re.search(rf"; not yet: (rollups|consumption) {reason}", shell.said("retention", "preview"))


@pytest.mark.usefixtures("series")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("set", "reading", "--days", "7", "--reason", "r"), "bad days: 7 (expected 8 to 36500, or none: for ever)"),
        (("set", "reading", "--days", "-1", "--reason", "r"), "bad --days: '-1' (expected a number, or 'ever')"),
        (("set", "reading", "--days", "²", "--reason", "r"), "bad --days: '²' (expected a number, or 'ever')"),
        (("set", "reading", "--days", "90", "--reason", " "), "bad reason: '' (expected why, for whoever finds it)"),
        (("set", "reading", "--days", "90"), "Missing option '--reason'"),
        (("set", "readings", "--days", "90", "--reason", "r"), "'readings' is not one of 'reading', 'position'"),
        (
            ("set", "event", "--metric", "volume", "--days", "90", "--reason", "r"),
            "bad metric: 'volume' (of what has none: event)",
        ),
        (("set", "reading", "--organisation", "none", "--days", "90", "--reason", "r"), "no organisation 'none'"),
        (("set", "reading", "--profile", "none", "--days", "90", "--reason", "r"), "no profile 'none'"),
        (("remove", "reading", "--reason", "r"), "no such policy for reading"),
        (("preview", "reading"), "bad preview (expected what with --days or with --removed, or nothing)"),
        (("preview", "--days", "90"), "bad preview (expected what with --days or with --removed, or nothing)"),
        (("preview", "reading", "--days", "90", "--removed"), "bad preview (expected what with --days or"),
        (("preview", "reading", "--removed"), "no such policy for reading"),
        (("preview", "--metric", "volume"), "bad preview (expected what with --organisation"),
        (("preview", "reading", "--days", "7"), "bad days: 7"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(shell: Shell, arguments: tuple[str, ...], words: str) -> None:
    assert words in shell.refused("retention", *arguments)
    assert len(shell.said("retention", "list").splitlines()) == 2
    assert shell.said("retention", "list", "--changes") == ""


def test_all_organisations_are_counted_together(shell: Shell, connection: Connection, series: SeriesId) -> None:
    other = register.ensure_organisation(connection, "other")
    connection.execute("UPDATE device SET organisation_id = %s", (other,))
    connection.commit()
    assert shell.said("retention", "preview", "reading", "--days", "90").startswith("reading\t6 rows of 1 series")
    mine = ("--organisation", "kasama", "--days", "90")
    assert shell.said("retention", "preview", "reading", *mine) == "reading\t0 rows of 0 series or devices\n"
    assert counts(connection) == {series: 12}


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
