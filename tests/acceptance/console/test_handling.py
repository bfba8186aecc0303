"""Alerts are assigned and resolved by hand, at a desk and on a phone, by key and by two people at once."""

import json
from datetime import UTC, datetime

import httpx
import pytest
from playwright.sync_api import expect

from tests.acceptance.console.conftest import PHONE, Open
from tests.integration.api import world
from tests.integration.api.world import World
from veldwatch.storage.connection import Connection

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)]


def test_an_alert_is_taken_given_on_and_resolved(visit: Open, made: World, connection: Connection) -> None:
    world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=datetime.now(UTC))
    page = visit("/alerts").page
    page.get_by_role("button", name="Assign to me").click()
    expect(page.locator("#owner")).to_contain_text("Assigned to control room")
    page.get_by_label("Assign to", exact=True).fill("Grace <b>Banda</b>")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.locator("#owner b")).to_have_text("Grace <b>Banda</b>")
    page.get_by_label("Resolve as").select_option("false_alarm")
    page.get_by_label("What was found or done").fill("The logger was on the bench.")
    page.get_by_role("button", name="Resolve by hand").click()
    expect(page.locator("#verdict")).to_contain_text("Resolved by hand: False alarm")
    page.get_by_role("button", name="Reopen").click()
    expect(page.locator("#verdict")).to_have_count(0)
    expect(page.locator(".timeline")).to_contain_text("Reopened")


def test_keys_take_an_alert_and_go_to_the_verdict(visit: Open, made: World, connection: Connection) -> None:
    world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=datetime.now(UTC))
    page = visit("/alerts").page
    expect(page.locator("#owner")).to_contain_text("Nobody")
    page.keyboard.press("m")
    expect(page.locator("#owner")).to_contain_text("Assigned to control room")
    page.keyboard.press("u")
    expect(page.locator("#owner")).to_contain_text("Nobody")
    page.keyboard.press("r")
    expect(page.get_by_label("Resolve as")).to_be_focused()


def test_on_a_phone_what_is_resolved_by_hand_leaves_the_inbox(visit: Open, made: World, connection: Connection) -> None:
    alert = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=datetime.now(UTC))
    page = visit(f"/alerts/{alert}", size=PHONE).page
    page.get_by_label("Resolve as").select_option("fixed")
    page.get_by_role("button", name="Resolve by hand").click()
    expect(page.locator("#verdict")).to_contain_text("The condition still holds")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(page.url.split("#", maxsplit=1)[0] + "#/alerts?work=open")
    expect(page.get_by_text("No such alert")).to_be_visible()
    page.get_by_label("Work", exact=True).select_option("handled")
    expect(page.locator(".alert-row .flag")).to_have_text("Fixed · Firing")


def test_who_is_second_sees_who_was_first(visit: Open, made: World, connection: Connection) -> None:
    world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=datetime.now(UTC))
    page = visit("/alerts", expected=("409",)).page
    expect(page.locator("#owner")).to_contain_text("Nobody")
    connection.execute("UPDATE alert SET assigned_to = 'Grace', assigned_at = now(), assigned_by = 'Grace'")
    connection.commit()
    page.get_by_role("button", name="Assign to me").click()
    expect(page.locator("#toasts")).to_contain_text("'Grace'")
    expect(page.locator("#owner")).to_contain_text("Assigned to Grace")


def test_an_alert_says_why_it_is_in_words_and_with_the_rule_as_it_was(
    visit: Open, made: World, connection: Connection
) -> None:
    now = datetime.now(UTC)
    alert = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=now)
    connection.execute("UPDATE alert SET series_id = %s WHERE id = %s", (made.volume, alert))
    world.add_readings(connection, made.volume, [(now, 1.0)])
    page = visit(f"/alerts/{alert}").page
    expect(page.locator("#why")).to_contain_text("of rule 'water.low-pressure', version 1, held from")
    expect(page.locator("#why")).to_contain_text("Limits: below 1.5: major")
    page.get_by_text("Rule water.low-pressure, version 1").click()
    expect(page.locator("#why pre")).to_contain_text('"below": 1.5')
    expect(page.get_by_text("rings: the readings it rests on")).to_be_visible()


def test_a_rule_shows_what_became_of_its_alerts(visit: Open, made: World, connection: Connection) -> None:
    world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=datetime.now(UTC))
    connection.execute(
        "UPDATE alert SET resolution = 'false_alarm', resolution_note = '', resolved_by = 'x',"
        " resolved_by_hand_at = now()"
    )
    connection.commit()
    page = visit("/rules/water.low-pressure", size=PHONE).page
    expect(page.locator("#statistics")).to_contain_text("1 false alarm")
    expect(page.locator("#statistics tbody td").nth(1)).to_have_text("1")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


_LATE_ANSWER = """(part) => {
    const before = window.fetch;
    window.fetch = async (address, options) => {
        if (String(address).includes(part)) await new Promise((resolve) => setTimeout(resolve, 1500));
        return before(address, options);
    };
}"""


def test_an_answer_to_an_earlier_filter_is_not_shown_under_a_later_one(
    visit: Open, made: World, connection: Connection
) -> None:
    now = datetime.now(UTC)
    world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=now)
    world.add_alert(connection, device=made.logger, organisation=made.water, opened_at=now, state="resolved")
    page = visit("/alerts").page
    expect(page.locator("[data-alert]")).to_have_count(2)
    page.evaluate(_LATE_ANSWER, "state=firing")
    states = page.get_by_role("group", name="State")
    with page.expect_response(lambda answer: "state=firing" in answer.url):
        states.get_by_role("button", name="Firing").click()
        states.get_by_role("button", name="Resolved").click()
        expect(page.locator("[data-alert] .flag")).to_have_text("Resolved")
    page.wait_for_timeout(300)
    expect(page.locator("[data-alert] .flag")).to_have_text("Resolved")


def test_what_another_person_does_is_seen_where_the_alert_is_read_and_what_is_written_stays(
    visit: Open, made: World, connection: Connection, api: str
) -> None:
    alert = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=datetime.now(UTC))
    page = visit(f"/alerts/{alert}").page
    comment, owner = page.get_by_label("Comment"), page.locator("#owner")
    expect(page.locator("#acknowledge")).to_be_visible()
    other = {"Authorization": f"Bearer {made.tokens['water']}"}
    assert httpx.post(f"{api}/v1/alerts/{alert}/acknowledge", headers=other, json={}).is_success
    expect(page.locator("#acknowledge")).to_have_count(0)
    expect(page.locator(".detail-head")).to_contain_text("Acknowledged by")
    comment.fill("valve 7 is closed")
    page.get_by_role("button", name="Assign to me").click()
    expect(owner).to_contain_text("Assigned to control room")
    expect(comment).to_have_value("valve 7 is closed")
    page.get_by_role("button", name="Add comment").click()
    expect(page.locator(".timeline .comment")).to_have_text("valve 7 is closed")
    expect(comment).to_have_value("")


@pytest.mark.parametrize("kind", ["alerts", "incidents"])
def test_what_is_written_stays_when_the_page_cannot_be_asked_for_anew(
    visit: Open, made: World, connection: Connection, kind: str
) -> None:
    alert = world.raise_alert(connection, made, 10, 300)
    [(incident,)] = connection.execute("SELECT id FROM incident").fetchall()
    shown = alert if kind == "alerts" else incident
    page = visit(f"/{kind}/{shown}", expected=("ERR_", "request to")).page
    comment = page.get_by_label("Comment")
    comment.fill("valve 7 is closed")
    page.route(
        f"**/v1/{kind}/{shown}*", lambda route: route.abort() if route.request.method == "GET" else route.continue_()
    )
    name = "Acknowledge" if kind == "alerts" else "Acknowledge all"
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_role("status").or_(page.locator(".toast")).filter(has_text="cknowledged").first).to_be_visible()
    assert page.locator(".toast-bad").count() == 0
    expect(comment).to_have_value("valve 7 is closed")
    page.unroute_all()
    done = "Acknowledged by" if kind == "alerts" else "1 of 1"
    comment.fill("")
    comment.blur()
    expect(page.locator(".detail")).to_contain_text(done, timeout=10_000)


def test_a_storm_of_alerts_is_drawn_once_and_the_list_stays_short(
    visit: Open, made: World, connection: Connection, api: str
) -> None:
    world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=datetime.now(UTC))
    reader = {"Authorization": f"Bearer {made.tokens['operator']}"}
    [one] = httpx.get(f"{api}/v1/alerts", headers=reader).json()["items"]
    storm = "".join(
        f"event: alert\ndata: {json.dumps({**one, 'id': f'00000000-0000-4000-8000-{number:012d}'})}\n\n"
        for number in range(1000)
    )
    opened = visit("/alerts", expected=("",))
    page = opened.page
    expect(page.locator("[data-alert]")).to_have_count(1)
    page.evaluate("""() => {
        window.draws = 0;
        const drawn = new MutationObserver(() => { window.draws += 1; });
        drawn.observe(document.querySelector(".list"), { childList: true });
    }""")
    page.route(
        "**/v1/stream", lambda route: route.fulfill(body=storm, headers={"content-type": "text/event-stream"}), times=1
    )
    page.evaluate("import('./modules/live.js').then((live) => live.start())")
    expect(page.locator("[data-alert]")).to_have_count(300)
    expect(page.get_by_role("button", name="Older alerts are left out")).to_be_visible()
    assert page.evaluate("window.draws") <= 4
    expect(page.get_by_role("list").get_by_role("listitem").first).to_be_visible()
