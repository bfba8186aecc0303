"""`veldwatch score` on a real database: simulated truth against record and back-tests, labels through the import."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from launch.cli import application
from tests.integration.rules.feed import Engineer, Feed
from tests.integration.rules.scoring import Commands
from veldwatch.model.register import Site
from veldwatch.storage import register, simulation, simulation_runs
from veldwatch.storage.connection import Connection
from veldwatch.storage.rules import save_rule
from veldwatch.storage.simulation import FaultSpan
from veldwatch.storage.simulation_runs import RunPlan
from veldwatch.wire.rule_document import parse_rule

START = datetime(2026, 3, 1, tzinfo=UTC)
HIGH: dict[str, Any] = {
    "id": "town.high",
    "title": "High",
    "severity": "major",
    "condition": {"kind": "threshold", "metric": "flow", "above": 5},
    "detects": ["leak", "burst"],
}


@pytest.fixture
def town(feed: Feed, connection: Connection) -> Feed:
    """Give two meters that ran high: one with a leak, one without, and an exchange; the site had a burst, unseen."""
    site = register.ensure_site(connection, Site(organisation_id=feed.organisation, slug="north", name="North"))
    connection.commit()
    for name in ("m1", "m2"):
        feed.device(name, ["flow"])
    connection.execute("UPDATE device SET site_id = %s", (site,))
    run = simulation_runs.start_run(connection, RunPlan(scenario="town", begins_at=START))
    hour = timedelta(hours=1)
    for key, kind, device, begins in (
        ("0.0", "leak", feed.devices["m1"], 10),
        ("1.0", "meter_exchange", feed.devices["m2"], 50),
        ("2.0", "burst", None, 100),
        ("3.0", "stuck", feed.devices["m2"], 120),
    ):
        simulation.record_fault(
            connection,
            run_id=run,
            planned_key=key,
            kind=kind,
            parameters={"litres_per_second": 12},
            span=FaultSpan(started_at=START + begins * hour, stopped_at=START + (begins + 5) * hour),
            device_id=device,
            site_id=None if device else site,
        )
    simulation_runs.mark_run_progress(connection, run, simulated_until=START + 168 * hour, messages=1)
    connection.commit()
    high = {("m1", 11), ("m1", 13), ("m2", 51)}
    values = [
        (device, START + hour * number, 9.0 if (device, number) in high else 1.0)
        for number in range(169)
        for device in ("m1", "m2")
    ]
    feed.readings("flow", values)
    return feed


def figures(document: dict[str, Any]) -> dict[str, Any]:
    return {part: document[part] for part in ("overall", "kinds", "rules", "misses", "false_alarms")}


def test_what_was_simulated_is_held_against_a_back_test(cli: Commands, town: Feed) -> None:
    assert town.organisation
    document = cli.score("--rules", cli.rules(HIGH))
    assert (document["from"], document["to"]) == ("2026-03-01T00:00:00+00:00", "2026-03-08T00:00:00.000001+00:00")
    assert (document["devices"], document["devices_watched"], document["readings"]) == (2, 2, 338)
    assert document["overall"] == {
        "injected": 3,
        "detected": 1,
        "missed": 2,
        "missed_without_rule": 1,
        "recall": 0.3333,
        "alerts": 3,
        "true": 1,
        "false": 1,
        "repeated": 1,
        "explained": 0,
        "precision": 0.5,
        "false_alarms_per_device_week": 0.5,
        "unscored": 0,
        "f1": 0.4,
        "false_alarms_per_day": 0.1429,
    }
    kinds = {kind["kind"]: kind for kind in document["kinds"]}
    assert list(kinds) == ["leak", "burst", "stuck", "meter_exchange"]
    assert (kinds["leak"]["recall"], kinds["leak"]["delay_median_seconds"], kinds["leak"]["precision"]) == (
        1,
        3600,
        0.5,
    )
    assert (kinds["meter_exchange"]["recall"], kinds["meter_exchange"]["false_alarms_provoked"]) == (None, 1)
    misses = [(miss["kind"], miss["device"], miss["site"], miss["size"], miss["reason"]) for miss in document["misses"]]
    assert misses == [("burst", None, "north", 12.0, "no alert"), ("stuck", "m2", None, None, "no rule")]
    assert [(one["device"], one["provoked_by"]) for one in document["false_alarms"]] == [("m2", "meter_exchange")]


def test_the_record_and_a_back_test_score_the_same(
    cli: Commands, town: Feed, engineer: Engineer, connection: Connection
) -> None:
    assert town.organisation
    with connection.transaction():
        save_rule(connection, parse_rule(HIGH), "tests")
    engineer.settle(START + timedelta(days=8))
    recorded = cli.score()
    assert recorded["alerts_from"] == "recorded"
    assert figures(recorded) == figures(cli.score("--rules", cli.rules(HIGH)))
    assert recorded["overall"]["true"] == 1


def test_an_organisation_and_a_stretch_narrow_it(cli: Commands, town: Feed, connection: Connection) -> None:
    assert town.organisation
    register.ensure_organisation(connection, "city")
    connection.commit()
    rules = cli.rules(HIGH)
    late = cli.score("--rules", rules, "--from", "2026-03-03", "--to", "2026-03-05", "--organisation", "town")
    assert [kind["kind"] for kind in late["kinds"]] == ["meter_exchange"]
    assert late["overall"]["alerts"] == 1
    stretch = ("--from", "2026-03-01", "--to", "2026-03-08")
    elsewhere = cli.score("--rules", rules, *stretch, "--organisation", "city")
    assert (elsewhere["devices"], elsewhere["overall"]["injected"], elsewhere["readings"]) == (0, 0, 0)


def test_it_is_told_in_a_table_and_drawn(cli: Commands, town: Feed) -> None:
    assert town.organisation
    picture = cli.folder / "card.svg"
    told = cli.run("score", "--rules", cli.rules(HIGH), "--baseline", "rolling-median", "--picture", str(picture))
    assert told.exit_code == 0, told.output
    assert "Scorecard from 2026-03-01 00:00 to 2026-03-08 00:00 UTC, 7d" in told.output
    assert (
        "back-tested alerts against simulated truth, grace 24h; 2 of 2 devices watched, 338 readings, 0 fixes"
        in told.output
    )
    assert "baseline rolling-median" in told.output
    assert "  burst at north, 12 L/s, 2026-03-05 04:00 to 2026-03-05 09:00: no alert" in told.output
    assert "  town.high at m2, 2026-03-03 03:00, provoked by meter_exchange" in told.output
    drawn = picture.read_text(encoding="utf-8")
    assert drawn.count("<title>leak at m1") == 1
    assert "1 of 3 faults found" in drawn


SILENT: dict[str, Any] = {
    "id": "town.silent",
    "title": "Silent",
    "severity": "minor",
    "condition": {"kind": "absence", "silent_for": "3h"},
    "detects": ["outage"],
}


def test_silence_in_history_that_came_at_once_is_judged_by_the_times_of_observation(
    cli: Commands, feed: Feed, connection: Connection
) -> None:
    hour = timedelta(hours=1)
    meter = feed.device("m1", ["flow", "volume"])
    collar = feed.device("c1")
    heard = [n for n in range(100) if not 20 <= n < 26]
    feed.readings("flow", [("m1", START + n * hour, 1.0) for n in heard])
    feed.readings("volume", [("m1", START + n * hour, float(n)) for n in heard])
    feed.fixes([("c1", START + n * hour, 30.0, -10.0) for n in range(100) if not 50 <= n < 60])
    feed.contacts([("m1", START + timedelta(days=400)), ("c1", START + timedelta(days=400))])
    run = simulation_runs.start_run(connection, RunPlan(scenario="town", begins_at=START))
    for key, device, begins, ends in (("0", meter, 20, 26), ("1", collar, 50, 60), ("2", meter, 80, 81)):
        span = FaultSpan(started_at=START + begins * hour, stopped_at=START + ends * hour)
        simulation.record_fault(connection, run_id=run, planned_key=key, kind="outage", span=span, device_id=device)
    connection.commit()
    asked = ["--rules", cli.rules(SILENT), "--from", "2026-03-01", "--to", "2026-03-05T03:00"]
    received = cli.score(*asked)
    assert (received["overall"]["detected"], received["overall"]["alerts"], received["contacts"]) == (0, 0, 0)
    observed = cli.score(*asked, "--contacts-as-observed")["overall"]
    assert (observed["injected"], observed["detected"], observed["false"]) == (3, 2, 0)
    (outage,) = cli.score(*asked, "--contacts-as-observed")["kinds"]
    assert (outage["delay_median_seconds"], outage["delay_p95_seconds"]) == (7200, 7200)


def test_labels_of_devices_that_nobody_knows_are_left_out_and_told(cli: Commands, town: Feed) -> None:
    assert town.organisation
    labels = cli.folder / "labels.csv"
    labels.write_text(
        "start,end,device\n2026-03-01T10:00Z,2026-03-01T12:00Z,m1\n2026-03-01T10:00Z,2026-03-01T12:00Z,m7\n",
        encoding="utf-8",
    )
    rules = cli.rules(HIGH)
    document = cli.score("--rules", rules, "--truth", str(labels))
    assert (document["devices"], document["devices_unknown"]) == (1, ["m7"])
    assert (document["overall"]["injected"], document["overall"]["true"], document["grace_seconds"]) == (1, 1, 0)
    told = cli.run("score", "--rules", rules, "--truth", str(labels))
    assert "labels left out, of devices that are not registered: m7" in told.output
    labels.write_text("start,end,device\n2026-03-01T10:00Z,2026-03-01T12:00Z,m7\n", encoding="utf-8")
    refused = CliRunner().invoke(application("score"), ["score", "--truth", str(labels)])
    assert "no device 'm7' is registered" in str(refused.exception)


def test_a_drop_against_a_scorecard_that_was_kept_fails(cli: Commands, town: Feed) -> None:
    assert town.organisation
    kept = cli.folder / "kept.json"
    kept.write_text(cli.run("score", "--rules", cli.rules(HIGH), "--json").output, encoding="utf-8")
    asked = ["score", "--against", str(kept), "--markdown", "--rules"]
    same = cli.run(*asked, cli.rules(HIGH))
    assert (same.exit_code, same.output.count("worse:")) == (0, 0)
    assert "| Leak behind a meter | 1 | 1 | 1.00 |" in same.output
    blunt = {**HIGH, "condition": {**HIGH["condition"], "above": 50}}
    worse = cli.run(*asked, cli.rules(blunt))
    assert worse.exit_code == 1
    assert "worse: Leak behind a meter: recall fell from 1.00 to 0.00" in worse.output


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--from", "yesterday"], "bad --from: 'yesterday'"),
        (["--from", "2026-03-02", "--to", "2026-03-01"], "bad --to"),
        ([], "nothing to score: no device has a reading or a fix"),
        (["--organisation", "nobody"], "no organisation 'nobody'"),
        (["--contacts-as-observed"], "bad --contacts-as-observed: nothing is back-tested"),
        (["--grace", "soon"], "bad --grace: 'soon'"),
        (["--kind", "flood"], "bad --kind: 'flood' (expected anomaly or one of leak, "),
        (["--baseline", "magic"], "bad --baseline: 'magic'"),
        (["--truth", "nowhere.csv"], "bad --truth: 'nowhere.csv'"),
        (["--time-zone", "Mars/Olympus"], "bad time_zone: 'Mars/Olympus'"),
        (["--delimiter", "ab"], "bad --delimiter: 'ab'"),
    ],
)
def test_a_wrong_option_is_named(cli: Commands, options: list[str], complaint: str) -> None:
    assert cli.folder
    result = CliRunner().invoke(application("score"), ["score", *options])
    assert complaint in str(result.exception)
