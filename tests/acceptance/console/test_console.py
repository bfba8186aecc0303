"""What operators and rangers see and do, in a real browser on the real API and database."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from psycopg.types.json import Jsonb

from launch.ports import choose_port
from tests.acceptance.console.conftest import PHONE, Open, running_api
from tests.integration.api import world
from tests.integration.api.world import HOSTILE_NAME, World
from veldwatch.storage.connection import Connection

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)]

_FETCHED = "performance.getEntriesByType('resource').map((one) => one.name)"


def test_without_a_token_it_asks_for_one_and_says_when_it_is_wrong(visit: Open) -> None:
    page = visit("/overview", bearer=None, expected=("401",)).page
    page.get_by_label("Access token").fill("vw_wrong")
    page.get_by_role("button", name="Open the console").click()
    expect(page.get_by_role("alert")).to_contain_text("not known")


def test_a_token_that_is_typed_in_opens_the_console(visit: Open, made: World) -> None:
    page = visit("/overview", bearer=None).page
    page.get_by_label("Access token").fill(made.tokens["viewer"])
    page.get_by_role("button", name="Open the console").click()
    expect(page.get_by_text("Devices heard")).to_be_visible()


def test_the_token_of_a_link_is_kept_and_taken_out_of_sight(visit: Open, made: World) -> None:
    page = visit("/devices").page
    expect(page.get_by_text("3 of 3")).to_be_visible()
    assert made.tokens["operator"] not in page.url
    page.reload()
    expect(page.get_by_text("3 of 3")).to_be_visible()


def test_a_reading_appears_without_a_reload(visit: Open, made: World, connection: Connection) -> None:
    page = visit(f"/devices/{made.meter}").page
    expect(page.locator(".connection")).to_have_text("Live")
    expect(page.locator(".chart-latest")).to_have_text("–")
    world.add_readings(connection, made.volume, [(datetime.now(UTC), 1234.5)])
    expect(page.locator(".chart-latest")).to_contain_text("1\u202f234.5\u00a0m³")


def test_the_overview_shows_readings_as_they_arrive(visit: Open, made: World, connection: Connection) -> None:
    page = visit("/overview").page
    expect(page.locator(".connection")).to_have_text("Live")
    world.add_readings(connection, made.volume, [(datetime.now(UTC), 77.25)])
    world.add_contact(connection, made.meter, datetime.now(UTC))
    expect(page.locator(".feed-row").first).to_contain_text("77.25")
    expect(page.locator(".figure-value").first).to_contain_text("1 / 3")


def test_a_new_alert_announces_itself(visit: Open, made: World, connection: Connection) -> None:
    page = visit("/overview").page
    expect(page.get_by_text("All quiet")).to_be_visible()
    expect(page.locator(".connection")).to_have_text("Live")
    world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=datetime.now(UTC))
    expect(page.locator("#toasts")).to_contain_text("Pressure is too low")
    expect(page.locator(".alert-row")).to_have_count(1)
    expect(page.locator(".rail .count")).to_have_text("1")


def test_an_alert_is_acknowledged_and_commented(visit: Open, made: World, connection: Connection) -> None:
    world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=datetime.now(UTC))
    page = visit("/alerts").page
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("Acknowledged by control room")).to_be_visible()
    page.get_by_label("Comment").fill("Crew is on the way <b>now</b>.")
    page.get_by_role("button", name="Add comment").click()
    expect(page.locator(".comment")).to_have_text("Crew is on the way <b>now</b>.")
    row = connection.execute("SELECT acknowledged_by FROM alert").fetchone()
    assert row == ("control room",)


def test_keys_move_through_the_inbox_and_acknowledge(visit: Open, made: World, connection: Connection) -> None:
    now = datetime.now(UTC)
    for hours in (1, 2):
        at = now - timedelta(hours=hours)
        world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=at)
    page = visit("/alerts").page
    rows = page.locator(".alert-row")
    expect(rows.nth(0)).to_have_attribute("aria-current", "true")
    page.keyboard.press("j")
    expect(rows.nth(1)).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("button", name="Acknowledge")).to_be_visible()
    page.keyboard.press("a")
    expect(page.get_by_text("Acknowledged by control room")).to_be_visible()
    page.keyboard.press("k")
    expect(rows.nth(0)).to_have_attribute("aria-current", "true")


def test_a_late_alert_is_told_as_history(visit: Open, made: World, connection: Connection) -> None:
    at = datetime.now(UTC) - timedelta(days=3)
    world.add_alert(
        connection, device=made.collar, organisation=made.wildlife, opened_at=at, state="resolved", late=True
    )
    page = visit("/alerts").page
    expect(page.locator(".late-note")).to_contain_text("Happened 3 d ago")
    expect(page.locator(".late-note")).to_contain_text("history, not news")


def test_the_link_in_a_notification_opens_its_alert(visit: Open, made: World, connection: Connection) -> None:
    now = datetime.now(UTC)
    old = world.add_alert(
        connection, device=made.collar, organisation=made.wildlife, opened_at=now - timedelta(hours=5), severity="minor"
    )
    world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=now)
    page = visit(f"/alerts/{old}").page
    expect(page.locator(".detail-head .severity-minor")).to_be_visible()
    page.goto(page.url.split("#", maxsplit=1)[0] + f"#alert={old}")
    expect(page.locator(".detail-head .severity-minor")).to_be_visible()


def test_an_alert_on_events_shows_what_was_told(visit: Open, made: World, connection: Connection) -> None:
    at = datetime.now(UTC) - timedelta(hours=1)
    opened: dict[str, object] = {"cover": "opened"}
    alert = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=at)
    condition = {"kind": "event", "events": [{"kind": "tamper", "attributes": opened}], "quiet_for": "1d"}
    connection.execute(
        "UPDATE rule_version SET definition = jsonb_set(definition, '{condition}', %s)", (Jsonb(condition),)
    )
    rests = {"observed_at": at.isoformat(), "kind": "tamper", "attributes": opened}
    connection.execute("UPDATE alert SET evidence = %s", (Jsonb({"device_id": 1, "events": [rests]}),))
    world.add_event(connection, made.meter, at, "tamper", opened)
    world.add_event(connection, made.meter, at + timedelta(minutes=5), "tamper", {"cover": "closed"})
    page = visit(f"/alerts/{alert}").page
    expect(page.locator("#evidence-events tbody tr")).to_have_count(2)
    expect(page.locator("#evidence-events b")).to_have_text("tamper: cover opened")
    page.goto(page.url.split("#", maxsplit=1)[0] + "#/rules")
    expect(page.get_by_text("It tells tamper (cover opened)")).to_be_visible()


def test_a_viewer_is_offered_nothing_that_only_operators_may_do(
    visit: Open, made: World, connection: Connection
) -> None:
    world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=datetime.now(UTC))
    page = visit("/alerts", bearer="viewer").page
    expect(page.get_by_text("Operators acknowledge alerts")).to_be_visible()
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    page.goto(page.url.split("#", maxsplit=1)[0] + "#/rules")
    expect(page.get_by_role("switch")).to_be_disabled()


def test_an_operator_switches_a_rule_off(visit: Open, made: World, connection: Connection) -> None:
    world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=datetime.now(UTC))
    page = visit("/rules").page
    page.get_by_role("switch").click()
    expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "false")
    assert connection.execute("SELECT enabled FROM rule").fetchone() == (False,)


@pytest.mark.parametrize("view", ["/devices", "/alerts", "/overview", "/simulator"])
def test_a_hostile_name_is_shown_as_text(visit: Open, made: World, connection: Connection, view: str) -> None:
    connection.execute("UPDATE device SET status = 'active', tags = '{model:water_meter}'")
    world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=datetime.now(UTC))
    page = visit(view).page
    expect(page.get_by_text(HOSTILE_NAME).first).to_be_attached()
    assert page.locator("img[src='x']").count() == 0


def test_a_hostile_name_is_text_in_the_popup_of_the_map(visit: Open, made: World) -> None:
    page = visit(f"/devices/{made.meter}").page
    expect(page.locator(".detail-title")).to_have_text(HOSTILE_NAME)
    page = visit("/overview").page
    page.locator(".map[data-drawn]").wait_for()
    page.wait_for_timeout(1000)  # devices are handed to the map twice a second
    box = page.locator(".map").bounding_box()
    assert box is not None
    # The map shows 31.0 to 31.5 E and 10.5 to 10.0 S with 48 pixels around; the meter is at 31.2 E, 10.2 S.
    pixels = min((box["width"] - 96) / 0.5, (box["height"] - 96) / 0.508)
    page.mouse.click(box["x"] + box["width"] / 2 - 0.05 * pixels, box["y"] + box["height"] / 2 - 0.0508 * pixels)
    expect(page.locator(".popup-name")).to_have_text(HOSTILE_NAME)


def test_what_draws_maps_is_fetched_for_the_first_map_and_holds_up_nothing_else(visit: Open, made: World) -> None:
    page = visit("/alerts", expected=("ERR_FAILED",)).page
    for _ in range(100):
        fetched = page.evaluate(_FETCHED)
        if any(name.endswith("views/overview.js") for name in fetched):
            break
        page.wait_for_timeout(100)
    else:
        pytest.fail("views are fetched early")
    assert not [name for name in fetched if "maplibre-gl.mjs" in name]
    page.route("**/map_drawing.js", lambda route: route.abort())
    page.goto(f"{page.url.split('#')[0]}#/devices/{made.meter}")
    expect(page.locator(".detail-title")).to_have_text(HOSTILE_NAME)
    expect(page.get_by_text("No map yet")).to_be_visible()


def test_a_browser_that_cannot_draw_maps_says_so_and_shows_the_rest(visit: Open, made: World) -> None:
    page = visit("/alerts", expected=("WebGL",)).page
    page.evaluate("HTMLCanvasElement.prototype.getContext = () => null")
    page.goto(f"{page.url.split('#')[0]}#/devices/{made.meter}")
    expect(page.get_by_text("No map here")).to_be_visible()
    expect(page.locator(".detail-title")).to_have_text(HOSTILE_NAME)


def test_a_lost_connection_is_said_and_mended(visit: Open, made: World, dsn: str, connection: Connection) -> None:
    port = choose_port(0)
    with running_api(dsn, port) as address:
        page = visit("/overview", bearer=None, expected=("ERR_", "request to", "Worker failed")).page
        page.goto(f"{address}/#token={made.tokens['operator']}&to=/devices/{made.meter}")
        expect(page.locator(".connection")).to_have_text("Live")
    expect(page.locator(".offline")).to_be_visible(timeout=10000)
    world.add_readings(connection, made.volume, [(datetime.now(UTC), 55.5)])
    with running_api(dsn, port):
        expect(page.locator(".connection")).to_have_text("Live", timeout=20000)
        expect(page.locator(".chart-latest")).to_contain_text("55.5")
        page.context.close()


def test_what_was_missed_while_the_connection_was_lost_is_listed_though_somebody_writes(
    visit: Open, made: World, dsn: str, connection: Connection
) -> None:
    now = datetime.now(UTC)
    alert = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=now)
    port = choose_port(0)
    with running_api(dsn, port) as address:
        page = visit("/overview", bearer=None, expected=("ERR_", "request to", "Worker failed")).page
        page.goto(f"{address}/#token={made.tokens['operator']}&to=/alerts/{alert}")
        page.get_by_label("Comment").fill("valve 7")
        expect(page.locator(".connection")).to_have_text("Live")
    expect(page.locator(".offline")).to_be_visible(timeout=10000)
    world.add_alert(connection, device=made.logger, organisation=made.water, opened_at=now)
    with running_api(dsn, port):
        expect(page.locator(".connection")).to_have_text("Live", timeout=20000)
        expect(page.locator("[data-alert]")).to_have_count(2)
        expect(page.get_by_label("Comment")).to_have_value("valve 7")
        page.context.close()


@pytest.mark.parametrize("view", ["/quiet/new", "/simulator"])
def test_a_form_that_nobody_touched_keeps_no_page_from_being_asked_for_anew(visit: Open, view: str) -> None:
    page = visit(view).page
    expect(page.locator("form select").first).to_be_attached()
    page.evaluate("document.activeElement.blur()")
    assert page.evaluate("import('./modules/drafts.js').then((drafts) => drafts.isWriting(document.body))") is False


def test_on_the_phone_an_alert_opens_over_the_list_and_closes_again(
    visit: Open, made: World, connection: Connection
) -> None:
    world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=datetime.now(UTC))
    page = visit("/alerts", size=PHONE).page
    page.locator(".alert-row").click()
    expect(page.get_by_role("button", name="Acknowledge")).to_be_visible()
    page.get_by_role("link", name="Alerts").first.click()
    expect(page.locator(".alert-row")).to_be_visible()


def test_a_link_that_was_cut_is_answered_in_words(visit: Open) -> None:
    page = visit("/devices/%", expected=("422", "404")).page
    expect(page.get_by_role("main")).to_contain_text("Try again")
