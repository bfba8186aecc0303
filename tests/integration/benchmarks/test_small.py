"""Each benchmark on a few messages: every row and every alert is accounted for."""

from dataclasses import replace

import pytest

from benchmarks.backtest import measure_backtest
from benchmarks.files import measure_files
from benchmarks.intake import measure_intake
from benchmarks.latency import measure_latency
from benchmarks.restart import measure_restart
from benchmarks.rules import measure_rules
from benchmarks.simulators import measure_simulators
from benchmarks.table import Measures, lines, markdown


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


def test_a_series_that_matches_several_rules_has_the_alerts_of_each() -> None:
    found = measure_rules(readings=60_000, rules=10, series=1000, matches=3)
    assert found.alerts == found.alerts_expected
    assert found.evaluations == found.readings * 27 // 10


def test_a_restart_finds_every_fold_and_every_alert() -> None:
    assert measure_restart(series=500, rules=10, unsaved=2).reconciled


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_alert_of_a_steady_stream_is_seen() -> None:
    found = measure_latency(rate=200, seconds=5, devices=20, rules=5)
    assert found.reconciled
    assert found.alerts == 4
