"""A counter's card: the register, what it counted under it, and where that was repaired."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.acceptance.console.conftest import PHONE, WIDE, Open
from tests.integration.api import world
from tests.integration.api.world import World
from veldwatch.storage import maintenance
from veldwatch.storage.connection import Connection


def _register_with_a_reset(connection: Connection, made: World) -> None:
    connection.execute("UPDATE series SET kind = 'counter' WHERE id = %s", (made.volume,))
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=20)
    values = [5000 + n * 0.4 for n in range(40)]
    values[25:] = [0.4 * n for n in range(1, 16)]
    world.add_readings(connection, made.volume, [(start + n * timedelta(minutes=30), v) for n, v in enumerate(values)])
    maintenance.run_once(connection, datetime.now(UTC))


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_bars_show_what_was_counted_and_rings_what_was_repaired(
    visit: Open, made: World, connection: Connection, size: tuple[int, int]
) -> None:
    _register_with_a_reset(connection, made)
    page = visit(f"/devices/{made.meter}", size=size).page
    bars = page.locator(".bars")
    # 24 steps of 0.4 before the reset, then what the register shows: 6.
    expect(bars).to_contain_text("15.6\u00a0m³ counted, per hour; 1 repaired: reset")
    expect(bars.get_by_role("img")).to_have_attribute("aria-label", "Volume, consumption per hour, 20 bars, 1 repaired")
    page.get_by_role("button", name="1 y").click()
    expect(bars).to_contain_text("per day; 1 repaired: reset")
    expect(page.locator(".chart-card")).to_contain_text("register at the end of each 2 d")


def test_a_gauge_has_no_bars_and_a_counter_without_readings_says_so(
    visit: Open, made: World, connection: Connection
) -> None:
    connection.execute("UPDATE series SET kind = 'counter' WHERE id = %s", (made.volume,))
    world.add_readings(connection, made.pressure, [(datetime.now(UTC), 2.0)])
    gauge = visit(f"/devices/{made.logger}").page
    expect(gauge.locator(".chart-card")).to_contain_text("1 readings")
    expect(gauge.locator(".bars")).to_have_count(0)
    counter = visit(f"/devices/{made.meter}").page
    expect(counter.locator(".bars")).to_contain_text("no consumption known in this range")
