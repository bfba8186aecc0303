"""Operators silence an alert and see the week's interruptions, in a real browser."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.acceptance.console.conftest import PHONE, Open, Scheme
from tests.integration.api import world
from tests.integration.api.world import World
from veldwatch.model.explanation import DEFAULT_PATIENCE
from veldwatch.storage.connection import Connection
from veldwatch.storage.interruptions import Place, Planned, add_interruption

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)]
HOUR = timedelta(hours=1)


@pytest.fixture
def alert(connection: Connection, made: World) -> str:
    at = datetime.now(UTC) - HOUR
    return str(world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=at))


@pytest.fixture
def plans(connection: Connection, made: World) -> World:
    now = datetime.now(UTC)
    for kind, begins in (("planned", now - HOUR), ("load_shedding", now + HOUR)):
        planned = Planned(
            organisation="demo-water",
            kind=kind,
            title="Stage 2" if kind == "load_shedding" else "Transformer is exchanged",
            begins_at=begins,
            ends_at=begins + 3 * HOUR,
            place=Place(sites=("upper",)),
        )
        add_interruption(connection, planned, author="tests", scope=None, now=now, patience=DEFAULT_PATIENCE)
    connection.commit()
    return made


def test_an_alert_is_silenced_with_a_preview_and_the_silence_ended(visit: Open, alert: str) -> None:
    page = visit(f"/alerts/{alert}").page
    page.get_by_role("link", name="Silence this").click()
    expect(page.get_by_label("Device")).to_have_value("m-1")
    expect(page.locator(".silence-preview")).to_contain_text("Would mute 1 alert that fires now")
    page.get_by_label("Why").fill("pump is rebuilt")
    page.get_by_role("button", name="Silence", exact=True).click()
    expect(page.get_by_text("Fired within it (1)")).to_be_visible()
    page.locator(f'a[href="#/alerts/{alert}"]').click()
    expect(page.locator(".quiet-note")).to_contain_text("Silenced. It is told when")
    page.get_by_role("link", name=re.compile(r"silence \d+")).click()
    page.get_by_role("button", name="1 day").click()
    expect(page.get_by_text("Extended by")).to_be_visible()
    page.get_by_role("button", name="End now").click()
    expect(page.locator(".badge", has_text="Expired")).to_be_visible()


def test_a_silence_of_everything_is_refused_until_somebody_says_so(visit: Open, alert: str) -> None:
    assert alert
    page = visit("/quiet/new").page
    expect(page.locator(".silence-preview")).to_contain_text("would mute everything")
    page.get_by_label("It is meant to mute everything").check()
    expect(page.locator(".silence-preview")).to_contain_text("Would mute 1 alert")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 900), PHONE])
def test_the_week_of_interruptions_fits_every_screen(
    visit: Open, plans: World, size: tuple[int, int], scheme: Scheme
) -> None:
    assert plans
    page = visit("/quiet", size=size, scheme=scheme).page
    expect(page.locator(".week-bar").first).to_be_visible()
    expect(page.get_by_text("Transformer is exchanged")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_interruption_is_entered_changed_and_called_off(visit: Open, connection: Connection, made: World) -> None:
    assert made
    page = visit("/quiet").page
    page.get_by_role("link", name="Plan", exact=True).click()
    page.get_by_label("What", exact=True).fill("Main is flushed")
    page.get_by_label("Organisation").select_option("demo-water")
    page.get_by_role("checkbox", name="Upper").check()
    page.get_by_role("button", name="Enter").click()
    row = page.locator("a.list-row", has_text="Main is flushed")
    expect(row).to_contain_text("upper")
    row.click()
    page.get_by_label("What", exact=True).fill("Main is flushed twice")
    page.get_by_label("Devices").fill("m-1")
    page.get_by_role("button", name="Save").click()
    row = page.locator("a.list-row", has_text="Main is flushed twice")
    expect(row).to_contain_text("upper, m-1")
    row.click()
    page.get_by_role("button", name="Call off").click()
    page.get_by_role("button", name="are you sure").click()
    expect(page.get_by_text("Nothing is planned this week")).to_be_visible()
    rows = connection.execute("SELECT title, author, cancelled_at IS NOT NULL FROM interruption").fetchall()
    assert rows == [("Main is flushed twice", "control room", True)]


def test_a_calendar_file_is_imported_and_its_interruptions_only_called_off(visit: Open, made: World) -> None:
    assert made
    page = visit("/quiet/import").page
    begins = datetime.now(UTC) + HOUR
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//tests//EN",
        *_event("one", begins, "LOCATION:Upper"),
        *_event("two", begins, "LOCATION:Nowhere"),
        "END:VCALENDAR",
    )
    content = "".join(f"{line}\r\n" for line in lines).encode()
    page.get_by_label("File (.ics)").set_input_files(
        {"name": "Beacon Line.ics", "mimeType": "text/calendar", "buffer": content}
    )
    expect(page.get_by_label("Name of the calendar")).to_have_value("beacon-line")
    page.get_by_label("Organisation").select_option("demo-water")
    page.get_by_role("button", name="Import").click()
    expect(page.locator(".silence-preview")).to_contain_text("1 interruptions new or changed")
    expect(page.locator(".silence-preview")).to_contain_text("Left out two")
    page.get_by_role("link", name="Quiet").first.click()
    page.locator("a.list-row", has_text="Stage 2").click()
    expect(page.get_by_text("It comes from a calendar")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    expect(page.get_by_role("button", name="Call off")).to_be_visible()


def _event(uid: str, begins: datetime, *more: str) -> tuple[str, ...]:
    return (
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{begins:%Y%m%dT%H%M%SZ}",
        f"DTSTART:{begins:%Y%m%dT%H%M%SZ}",
        f"DTEND:{begins + HOUR:%Y%m%dT%H%M%SZ}",
        "SUMMARY:Stage 2",
        *more,
        "END:VEVENT",
    )


@pytest.mark.parametrize(("size", "scheme"), [((1440, 900), "light"), (PHONE, "dark")])
def test_the_forms_of_the_calendar_fit_every_screen(
    visit: Open, plans: World, size: tuple[int, int], scheme: Scheme
) -> None:
    assert plans
    page = visit("/quiet/plan", size=size, scheme=scheme).page
    expect(page.get_by_role("button", name="Enter")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(page.url.replace("/quiet/plan", "/quiet/import"))
    expect(page.get_by_role("button", name="Import")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_who_has_no_sites_enters_an_interruption_of_devices(visit: Open, made: World, connection: Connection) -> None:
    connection.execute("DELETE FROM site WHERE organisation_id = %s", (made.wildlife,))
    connection.commit()
    page = visit("/quiet/plan", bearer="wildlife").page
    page.get_by_label("What").fill("Collars are changed")
    page.get_by_label("Devices").fill("c-1")
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_text("The interruption is entered")).to_be_visible()


def test_what_nobody_touched_stays_to_the_second_and_on_its_side_of_a_clock_change(
    browser: Browser, api: str, made: World, connection: Connection
) -> None:
    begins = datetime(2026, 10, 25, 1, 30, 30, tzinfo=UTC)  # the second half past two of that night in Berlin
    planned = Planned(
        organisation="demo-water", kind="planned", title="Works", begins_at=begins, ends_at=begins + HOUR,
        place=Place(sites=("town", "upper")),
    )  # fmt: skip
    number = add_interruption(
        connection, planned, author="tests", scope=None, now=datetime.now(UTC), patience=DEFAULT_PATIENCE
    )
    connection.commit()
    context = browser.new_context(timezone_id="Europe/Berlin", locale="en-GB")
    page = context.new_page()
    # Of more sites than a register shows, one that is chosen is not among them.
    only = {"id": 2, "slug": "town", "name": "Town", "organisation": "demo-water", "kind": None, "geometry": None}
    page.route("**/v1/sites*", lambda route: route.fulfill(json={"items": [only], "next": None}))
    page.goto(f"{api}/#token={made.tokens['operator']}&to=/quiet/plan-{number}")
    page.get_by_label("What").fill("Works on the main")
    with page.expect_request(lambda request: request.method == "PUT") as sent:
        page.get_by_role("button", name="Save").click()
    body: dict[str, Any] = json.loads(sent.value.post_data or "")
    context.close()
    assert datetime.fromisoformat(body["begins_at"]) == begins
    assert datetime.fromisoformat(body["ends_at"]) == begins + HOUR
    assert sorted(body["sites"]) == ["town", "upper"]
