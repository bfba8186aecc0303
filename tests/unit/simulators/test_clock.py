from datetime import UTC, datetime, timedelta

from simulators.clock import SimulatedClock

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_simulated_time_runs_faster_until_it_has_caught_up() -> None:
    clock = SimulatedClock(started_at=START, begins_at=START - timedelta(hours=1), speed=61.0)
    assert clock.now(START) == START - timedelta(hours=1)
    assert clock.now(START + timedelta(seconds=30)) == START - timedelta(minutes=29, seconds=30)
    assert clock.now(START + timedelta(seconds=60)) == START + timedelta(seconds=60)


def test_it_is_never_ahead_of_the_present() -> None:
    clock = SimulatedClock(started_at=START, begins_at=START, speed=1000.0)
    assert clock.now(START + timedelta(hours=1)) == START + timedelta(hours=1)
