"""Incidents in a real browser: the list, one incident with map and course, what is done to all of its alerts, live."""

from datetime import UTC, datetime

import httpx
import pytest
from playwright.sync_api import expect

from tests.acceptance.console.conftest import PHONE, WIDE, Open, Scheme
from tests.integration.api import world
from tests.integration.api.world import World
from veldwatch.storage.connection import Connection
from veldwatch.storage.incident_gathering import gather_alerts

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)]


def test_an_incident_is_found_acknowledged_assigned_commented_and_resolved(
    visit: Open, made: World, connection: Connection
) -> None:
    world.raise_alert(connection, made, 20, 1200)
    world.raise_alert(connection, made, 10, 300, "critical")
    page = visit("/incidents").page
    row = page.locator("[data-incident]")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("About 1,200 L/h, 300 people · 2 alerts · Upper")
    pane = page.locator(".detail")
    expect(pane.locator(".impact")).to_contain_text("300")
    expect(pane).to_contain_text("To know more it takes: a tariff for water.")
    expect(pane.locator(".incident-map canvas")).to_be_visible()
    expect(pane.locator(".incident-alerts .alert-row")).to_have_count(2)
    page.get_by_role("button", name="Acknowledge all").click()
    expect(pane).to_contain_text("2 of 2")
    page.get_by_label("Assign all alerts to").fill("Chanda")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(row).to_contain_text("Chanda")
    page.get_by_label("Comment").fill("Valve <b>closed</b>.")
    page.get_by_role("button", name="Add comment").click()
    expect(pane.locator(".comment", has_text="Valve <b>closed</b>.")).to_be_visible()
    page.get_by_label("Resolve all as").select_option("fixed")
    page.get_by_role("button", name="Resolve by hand").click()
    expect(row).to_contain_text("Resolved by hand")
    expect(pane.get_by_role("button", name="Reopen")).to_be_visible()
    rows = connection.execute("SELECT acknowledged_by, assigned_to, resolution FROM alert").fetchall()
    assert rows == [("control room", "Chanda", "fixed")] * 2


def test_an_alert_leads_to_its_incident_and_says_what_it_is_about(
    visit: Open, made: World, connection: Connection
) -> None:
    alert = world.raise_alert(connection, made, 20, 1200)
    page = visit(f"/alerts/{alert}").page
    expect(page.locator(".detail .impact")).to_contain_text("L/h")
    page.locator("#incident-link").click()
    expect(page.locator(".detail-title")).to_contain_text("Pressure is too low")
    expect(page.locator("#acknowledge")).to_have_text("Acknowledge all")


def test_incidents_are_sorted_by_impact_move_by_keys_and_follow_live(
    visit: Open, made: World, connection: Connection
) -> None:
    for hours, litres in ((30, 20), (60, 900), (90, 300)):
        world.raise_alert(connection, made, hours * 60, litres)
    page = visit("/incidents").page
    rows = page.locator("[data-incident]")
    expect(rows.nth(0)).to_contain_text("20 L/h")
    page.get_by_label("Order").select_option("water")
    expect(rows.nth(0)).to_contain_text("900 L/h")
    expect(rows.nth(2)).to_contain_text("20 L/h")
    page.locator(".detail-title").click()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("[data-incident][aria-current=true]")).to_have_count(1)
    expect(page.locator(".connection")).to_have_text("Live")
    world.raise_alert(connection, made, 1, 5000)
    expect(rows.nth(0)).to_contain_text("5,000 L/h")
    expect(rows).to_have_count(4)


def test_what_is_missing_is_said_where_it_is_missed(visit: Open, made: World, connection: Connection) -> None:
    world.raise_alert(connection, made, 20, 1200)
    page = visit("/incidents").page
    page.get_by_text("Tariffs and dependants").click()
    page.get_by_label("Currency").fill("ZMW")
    page.get_by_label("Water, for a cubic metre").fill("12.5")
    page.get_by_role("button", name="Save: Tariffs of demo-water").click()
    expect(page.locator("#toasts")).to_contain_text("Saved")
    expect(page.get_by_label("Currency")).not_to_be_visible()  # told before the incident is drawn anew
    page.get_by_text("Tariffs and dependants").click()
    page.get_by_label("People").fill("450")
    page.get_by_role("button", name="Save: Who depends on Upper").click()
    expect(page.locator("#toasts .toast")).to_have_count(2)
    said = connection.execute(
        "SELECT o.currency, o.water_tariff, s.people FROM organisation o JOIN site s ON s.organisation_id = o.id"
        " WHERE s.slug = 'upper'"
    ).fetchone()
    assert said == ("ZMW", 12.5, 450)


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_incident_fits_its_screen(
    visit: Open, made: World, connection: Connection, size: tuple[int, int], scheme: Scheme
) -> None:
    world.raise_alert(connection, made, 20, 1200)
    row = connection.execute("SELECT incident_id FROM alert").fetchone()
    assert row is not None
    page = visit(f"/incidents/{row[0]}", size=size, scheme=scheme).page
    expect(page.locator(".detail-title")).to_be_visible()
    wide = page.evaluate(
        "Math.max(document.documentElement.scrollWidth, document.getElementById('view').scrollWidth)"
        " - document.documentElement.clientWidth"
    )
    assert wide <= 0


def test_incidents_are_merged_taken_apart_and_an_alert_taken_out(
    visit: Open, made: World, connection: Connection
) -> None:
    early = world.raise_alert(connection, made, 2000, 1200)
    late = world.raise_alert(connection, made, 10, 300, "critical")
    connection.execute("UPDATE alert SET state = 'resolved', resolved_at = opened_at WHERE id = %s", (early,))
    gather_alerts(connection, [early, late], datetime.now(UTC))
    connection.commit()
    page = visit("/incidents").page
    pane = page.locator(".detail")
    page.get_by_text("Merge with another incident").click()
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(pane).to_contain_text("Another incident is part of it now")
    expect(pane.locator(".incident-alerts .alert-row")).to_have_count(2)
    page.get_by_text("Merge with another incident").click()
    page.get_by_role("button", name="Take merges by hand back").click()
    expect(pane.locator(".incident-alerts .alert-row")).to_have_count(1)
    world.raise_alert(connection, made, 5, 300)
    page = visit(f"/alerts/{late}").page
    part = page.locator("#incident-part")
    part.get_by_role("button", name="Take out of it").click()
    expect(part).to_contain_text("An incident of its own")
    expect(part).to_contain_text("taken out by control room")
    part.get_by_role("button", name="Put back").click()
    expect(part).to_contain_text("Part of an incident")


def test_an_incident_follows_others_after_it_was_given_to_somebody_and_a_merge_was_looked_at(
    visit: Open, made: World, connection: Connection, api: str
) -> None:
    early, late = world.raise_alert(connection, made, 2000, 300), world.raise_alert(connection, made, 10, 1200)
    connection.execute("UPDATE alert SET state = 'resolved', resolved_at = opened_at WHERE id = %s", (early,))
    gather_alerts(connection, [early, late], datetime.now(UTC))
    connection.commit()
    page = visit("/incidents").page
    pane = page.locator(".detail")
    person = page.get_by_label("Assign all alerts to")
    person.fill("Chanda")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(pane.locator(".detail-head .facts")).to_contain_text("Chanda")
    expect(person).to_have_value("")
    pane.get_by_text("Merge with another incident").click()
    expect(page.get_by_label("The other incident")).to_be_visible()
    other = {"Authorization": f"Bearer {made.tokens['water']}"}
    assert httpx.post(f"{api}/v1/alerts/{late}/acknowledge", headers=other, json={}).is_success
    expect(pane.locator(".detail-head .facts")).to_contain_text("1 of 1")


def test_a_key_that_is_held_down_does_once_what_it_does(visit: Open, made: World, connection: Connection) -> None:
    world.raise_alert(connection, made, 10, 1200)
    page = visit("/incidents").page
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    expect(page.get_by_role("button", name="Acknowledge all")).to_be_visible()
    for _ in range(5):
        page.keyboard.down("m")
    page.keyboard.up("m")
    expect(page.locator(".detail-head .facts")).to_contain_text("control room")
    assert len(sent) == 1
