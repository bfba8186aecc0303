"""Charts as fine as range and room allow: a year at once, a part of it closer, and what is drawn as a table."""

import csv
import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.console.conftest import PHONE, WIDE, Open
from tests.integration.api import world
from tests.integration.api.world import World
from veldwatch.storage import maintenance
from veldwatch.storage.connection import Connection
from veldwatch.storage.incident_gathering import gather_alerts

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)]

HOUR = timedelta(hours=1)


@pytest.fixture
def measured(connection: Connection, made: World) -> World:
    """Make a pressure of each hour for 300 days, with one low dip, and a gap of three days."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    times = [now - n * HOUR for n in range(300 * 24) if not 1000 < n < 1072]
    world.add_readings(
        connection, made.pressure, [(at, 1.0 if at == now - 2000 * HOUR else 3 + at.hour / 24) for at in times]
    )
    maintenance.run_once(connection, now)
    return made


def _drag(page: Page, begin: float, end: float) -> None:
    """Draw over a part of the chart, from one share of its width to another."""
    box = page.locator(".chart .u-over").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + begin * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], middle, steps=4)
    page.mouse.up()


def test_a_year_opens_as_a_band_of_days_and_a_part_of_it_closer(visit: Open, measured: World) -> None:
    page = visit(f"/devices/{measured.logger}").page
    card = page.locator(".chart-card")
    expect(card).to_contain_text("24 readings")
    page.get_by_role("button", name="1 y").click()
    expect(card).to_contain_text(re.compile(r"mean per (day|2 d), shaded: lowest to highest"))
    page.mouse.move(0, 0)
    _drag(page, 0.70, 0.80)
    expect(card).to_contain_text(re.compile(r"mean per (3|6) h, shaded"))
    card.get_by_role("button", name="Closer").click()
    expect(card).to_contain_text(re.compile(r"mean per (2|3) h, shaded"))
    card.get_by_role("button", name="Whole range").click()
    expect(card).to_contain_text(re.compile(r"mean per (day|2 d), shaded"))
    expect(card.get_by_role("button", name="Whole range")).to_have_count(0)


def test_what_is_drawn_can_be_saved_as_a_table(visit: Open, measured: World) -> None:
    page = visit(f"/devices/{measured.logger}").page
    page.get_by_role("button", name="30 d").click()
    expect(page.locator(".chart-card")).to_contain_text("mean per")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save as table (CSV)").click()
    assert waiting.value.suggested_filename == "pressure.csv"
    with waiting.value.path().open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["readings"]) for row in rows) >= 30 * 24 - 1
    assert {row["metric"] for row in rows} == {"pressure"}


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_nothing_is_wider_than_the_page_and_every_tool_has_a_name(
    visit: Open, measured: World, size: tuple[int, int]
) -> None:
    page = visit(f"/devices/{measured.logger}", size=size).page
    page.get_by_role("button", name="1 y").click()
    expect(page.locator(".chart-card")).to_contain_text("shaded: lowest to highest")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    names = page.locator(".chart-tools button").evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    assert names == ["Closer", "Further", "Save as table (CSV)"]


def test_readings_that_retention_dropped_are_drawn_from_their_hours(
    visit: Open, connection: Connection, measured: World
) -> None:
    connection.execute("DELETE FROM reading_raw WHERE observed_at < now() - interval '12 hours'")
    connection.commit()
    page = visit(f"/devices/{measured.logger}").page
    expect(page.locator(".chart-card")).to_contain_text("hours where raw readings are no longer kept")


def test_an_incident_shows_what_was_measured_around_it(visit: Open, connection: Connection, measured: World) -> None:
    alert = world.add_alert(
        connection,
        device=measured.logger,
        organisation=measured.water,
        opened_at=datetime.now(UTC) - 6 * HOUR,
        state="firing",
    )
    connection.execute("UPDATE alert SET series_id = %s WHERE id = %s", (measured.pressure, alert))
    gather_alerts(connection, [alert], datetime.now(UTC))
    connection.commit()
    page = visit("/incidents").page
    drawn = page.locator(".incident-chart")
    expect(drawn).to_contain_text("Pressure p-1")
    expect(drawn).to_contain_text("9 readings")
    drawn.get_by_role("button", name="Closer").click()
    expect(drawn).to_contain_text(re.compile(r"[45] readings"))
