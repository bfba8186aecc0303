"""Each benchmark on a few messages: every row and every alert is accounted for."""

import os
import shutil
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.backtest import measure_backtest
from benchmarks.files import measure_files
from benchmarks.growth import Point, drawn
from benchmarks.growth import markdown as growth_table
from benchmarks.intake import measure_intake
from benchmarks.kinds import measure_kinds
from benchmarks.latency import measure_latency
from benchmarks.packs import measure_packs
from benchmarks.panels import measure_panels
from benchmarks.restart import measure_restart
from benchmarks.rules import RulesResult, measure_rules
from benchmarks.simulators import measure_simulators
from benchmarks.storage import measure_storage
from benchmarks.table import Measures, lines, markdown
from tests.timescale.installation import TimescaleAbsent


@pytest.mark.timeout(300)
def test_the_table_reconciles_rows_and_alerts() -> None:
    found = Measures(
        messages=measure_intake(messages=1000, devices=10, rules=10),
        batched=measure_intake(messages=1000, devices=10, rules=10, items=30),
        files=measure_files(rows=3000, devices=10),
        rules=measure_rules(readings=60_000, rules=10, series=1000),
    )
    assert found.reconciled()
    # One moment in 20,011 of the 30,000 goes beyond a limit.
    assert found.batched.alerts == 1
    assert found.messages.readings_stored == 3000
    text = list(markdown(found))
    assert all(line.what in text[place + 2] for place, line in enumerate(lines(found)))


def test_a_row_that_is_missing_is_told() -> None:
    intake = measure_intake(messages=1000, devices=10, rules=0)
    assert intake.reconciled
    assert not replace(intake, readings_stored=intake.readings_sent - 1).reconciled
    assert not replace(intake, readings_stored=intake.readings_sent + 1).reconciled
    assert not replace(intake, alerts_expected=1).reconciled


def test_simulators_reconcile_what_was_said_with_what_was_counted() -> None:
    found = measure_simulators(devices=120, seconds=0.4)
    assert found.reconciled
    assert found.messages >= found.devices
    assert found.readings == 3 * found.messages
    assert not replace(found, messages_counted=found.messages - 1).reconciled
    assert not replace(found, duplicates=1).reconciled


def test_a_back_test_folds_every_reading_in_several_processes() -> None:
    found = measure_backtest(meters=60, days=40)
    assert (found.readings, found.alerts) == (60 * 40 * 24, found.alerts_expected)
    assert found.alerts_expected > 0
    assert found.reconciled


def test_a_history_is_weighed_taken_up_again_and_looked_at() -> None:
    home = Path(tempfile.mkdtemp(prefix="veldwatch-bench-"))
    try:
        found = measure_panels(readings=20_000, series=16, step=timedelta(minutes=30), windows=1, home=home)
        assert found.reconciled
        assert (found.readings, found.readings_before) == (26 * 48 * 16, 2 * 48 * 16)
        document = found.document()
        assert {"p95_ms_30d", "p50_ms_1y", "before_p95_ms_1h", "cold_p95_ms_24h"} <= set(document)
        weighed = measure_storage(readings=24_000, series=16, step=timedelta(minutes=30), home=home)
        assert weighed.reconciled
        assert (weighed.edition, weighed.readings) == ("postgresql", 31 * 48 * 16)
        assert weighed.bytes_per_reading > 0
        assert not replace(weighed, readings_stored=1).reconciled
        with pytest.raises(ValueError, match="the kept database holds"):
            measure_storage(readings=24_000, series=24, step=timedelta(minutes=30), home=home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def test_a_history_that_is_compressed_is_taken_up_again(tmp_path: Path) -> None:
    try:
        found = [
            measure_storage(
                readings=24_000, series=16, step=timedelta(minutes=30), edition="community", home=tmp_path
            ).readings_stored
            for _ in range(2)
        ]
    except TimescaleAbsent as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    assert found == [31 * 48 * 16] * 2


def test_a_series_that_matches_several_rules_has_the_alerts_of_each() -> None:
    found = measure_rules(readings=60_000, rules=10, series=1000, matches=3)
    assert found.alerts == found.alerts_expected
    assert found.evaluations == found.readings * 27 // 10


def test_growth_is_told_as_a_table_and_drawn_as_a_picture() -> None:
    found = RulesResult(
        readings_per_second=1000,
        readings=1000,
        rules=10,
        series=500,
        matches=1,
        evaluations=900,
        alerts=2,
        alerts_expected=3,
        beyond=0.0,
        seconds=1.0,
        saving_seconds=0.1,
        limit_per_second=10**8,
        database="postgresql",
        processor="a processor",
        cores=2,
    )
    points = [
        Point(varied, replace(found, series=found.series * times, rules=found.rules * times, beyond=times / 1000))
        for varied in ("rules", "devices", "share beyond a limit")
        for times in (1, 10)
    ]
    assert "| 2 of 3 | 900.00 | 1,111 |" in "".join(growth_table(points))
    picture = ElementTree.fromstring(drawn(points))  # noqa: S314  # our own
    assert len(picture.findall("{http://www.w3.org/2000/svg}circle")) == len(points)


def test_kinds_are_measured_screened_and_one_by_one() -> None:
    (found,) = measure_kinds(only=("immobility",), rules=10, rounds=3)
    assert found.reconciled
    assert found.observations == 300


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_packs_are_measured_on_what_simulated_devices_say() -> None:
    found = measure_packs(devices=100, rules=40, hours=1)
    assert found.reconciled
    assert found.readings > 500


def test_a_restart_finds_every_fold_and_every_alert() -> None:
    assert measure_restart(series=500, rules=10, unsaved=2).reconciled


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_alert_of_a_steady_stream_is_seen() -> None:
    found = measure_latency(rate=200, seconds=5, devices=20, rules=5)
    assert found.reconciled
    assert found.alerts == 4
