"""Whatever comes late and is corrected while retention drops: days say what they said, or what is known now."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.integration.veldwatch.storage.past_its_time import put
from tests.integration.veldwatch.storage.telemetry import write
from tests.integration.veldwatch.storage.test_consumption_rollups import HOUR, START, hourly, make_counter
from veldwatch.model.identifiers import SeriesId
from veldwatch.storage import corrections, maintenance, rollups
from veldwatch.storage.connection import Connection
from veldwatch.storage.corrections import Grounds, SeriesName
from veldwatch.storage.retention import What

BY = Grounds(author="eve", method="manual", reason="read from a photograph")
QUARTER = timedelta(minutes=15)

plain = pytest.mark.parametrize("server_kind", ["plain"], indirect=True)


class Register:
    """A register that counts one an hour, says so when it is asked to, and no time twice."""

    def __init__(self, connection: Connection, seed: int) -> None:
        self.connection = connection
        self.chance = random.Random(seed)  # noqa: S311  # the same each time
        self.series: SeriesId = make_counter(connection)
        self.said: set[datetime] = set()

    def say(self, *times: datetime) -> None:
        new = sorted(set(times) - self.said)
        self.said.update(new)
        if new:
            write(self.connection, self.series, [(at, (at - START) / HOUR) for at in new])

    def say_late(self, days: int, count: int) -> None:
        begin = START + timedelta(minutes=self.chance.randrange(days * 24 * 60))
        self.say(*(begin + n * QUARTER for n in range(count)))


_FIGURES = {
    "reading_daily": "bucket, count, minimum, maximum, round(average::numeric, 6), first, last",
    "consumption_daily": "bucket, round(amount::numeric, 4), round(excess::numeric, 4), codes, readings",
}


def _days(connection: Connection) -> list[list[tuple[Any, ...]]]:
    found = [
        connection.execute(f"SELECT {columns} FROM {view} ORDER BY 1".encode()).fetchall()
        for view, columns in _FIGURES.items()
    ]
    connection.commit()
    return found


def _make_anew(connection: Connection, series: SeriesId, now: datetime) -> None:
    """Make all figures of what is stored, as if retention had dropped nothing."""
    kinds = ("reading_hourly", "reading_daily", "consumption_hourly", "consumption_daily")
    for table in ("retention_mark", "retention_policy", *(f"{kind}_rollup" for kind in kinds)):
        connection.execute(f"DELETE FROM {table}".encode())
    rollups.make_due(connection, START, now)
    connection.execute(
        "INSERT INTO rollup_due SELECT DISTINCT series_id, bucket('1 hour', observed_at) FROM correction"
        " ON CONFLICT DO NOTHING"
    )
    connection.execute("SELECT judge_again(ARRAY[%s])", (series,))
    connection.commit()
    maintenance.run_once(connection, now)


@plain
@pytest.mark.parametrize("seed", range(5))
def test_days_whose_hours_went_are_those_of_what_is_stored(connection: Connection, seed: int) -> None:
    register, now = Register(connection, seed), START + timedelta(days=100)
    register.say(*(START + n * register.chance.choice([HOUR, 24 * HOUR]) for n in range(5)))
    write(connection, register.series, hourly(*range(10_000, 10_040), since=now - 40 * HOUR))
    maintenance.run_once(connection, now)
    put(connection, 30, What.HOURLY)
    maintenance.run_once(connection, now)
    series = corrections.find_series(connection, None, SeriesName(series_id=register.series))
    corrected: set[datetime] = set()
    for _ in range(8):
        match register.chance.choice(["late", "burst", "correct", "estimate", "withdraw", "sweep"]):
            case "late":
                register.say_late(7, 1)
            case "burst":
                register.say_late(5, register.chance.randrange(3, 40))
            case "withdraw" if corrected:
                at = corrected.pop()
                corrections.withdraw_corrections(connection, series, [at], BY)
            case "sweep":
                now += timedelta(days=1)
            case what:
                known = sorted(register.said)
                at = register.chance.choice(known) + (what == "estimate") * timedelta(minutes=7)
                value = (at - START) / HOUR + register.chance.choice([0, 1, 200])
                corrections.add_corrections(connection, series, {at: value}, BY, now)
                corrected.add(at)
        connection.commit()
        maintenance.run_once(connection, now)
    found = _days(connection)
    _make_anew(connection, register.series, now)
    assert found == _days(connection)


@plain
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("hours_kept", [None, 10])
def test_nothing_is_counted_twice_or_lost_where_readings_went(
    connection: Connection, seed: int, hours_kept: int | None
) -> None:
    register, now = Register(connection, seed), START + timedelta(days=60)
    step = register.chance.choice([HOUR, 6 * HOUR, 24 * HOUR])
    register.say(*(START + n * step for n in range(int((now - START) / step) + 1) if n % 10 != 5))
    maintenance.run_once(connection, now)
    put(connection, hours_kept, What.HOURLY)
    put(connection, 14)
    maintenance.run_once(connection, now)
    for _ in range(6):
        match register.chance.choice(["late", "burst", "again", "on"]):
            case "late":
                register.say_late(60, 1)
            case "burst":
                register.say_late(55, register.chance.randrange(3, 40))
            case "again":
                connection.execute("SELECT judge_again(ARRAY[%s])", (register.series,))
                connection.commit()
            case _:
                now += timedelta(days=1)
                register.say(*(now - n * step for n in range(int(24 * HOUR / step))))
        maintenance.run_once(connection, now)
        amounts = [day[1] for day in _days(connection)[1]]
        assert float(sum(amounts)) == pytest.approx((max(register.said) - START) / HOUR, abs=0.01)
        assert float(max(amounts)) == pytest.approx(24, abs=0.01)
