"""Operators see how long what is kept, and change it after they were told what would go, in a real browser."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.console.conftest import Open
from tests.integration.api import world
from tests.integration.api.world import BEGIN, World
from veldwatch.storage import maintenance, retention
from veldwatch.storage.connection import Connection
from veldwatch.storage.retention import Policy, What

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)]
OLD = BEGIN - timedelta(days=400)


@pytest.fixture
def old_readings(connection: Connection, made: World) -> World:
    world.add_readings(connection, made.volume, [(OLD + timedelta(minutes=m), float(m)) for m in range(3)])
    return made


def _rows(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM reading").fetchone()
    assert row is not None
    return int(row[0])


def _fill_form(page: Page, *, days: str) -> None:
    page.get_by_label("Metric").fill("volume")
    page.get_by_role("spinbutton").fill(days)
    page.get_by_label("Why").fill("agreed with the auditor")


def test_a_policy_is_set_after_what_goes_was_counted_and_asked_twice(
    visit: Open, connection: Connection, old_readings: World
) -> None:
    assert old_readings
    page = visit("/storage", bearer="water").page
    page.get_by_role("link", name="New policy").click()
    expect(page.get_by_label("Organisation")).to_have_count(0)  # the bearer has one
    _fill_form(page, days="90")
    expect(page.locator(".silence-preview")).to_contain_text("3 rows would go of 1 series")
    page.get_by_role("button", name="Keep so").click()
    sure = page.get_by_role("button", name="3 rows go for good: are you sure?")
    expect(sure).to_be_visible()
    assert retention.list_policies(connection, None) == []
    sure.click()
    expect(page.get_by_role("link", name="Readings of organisation demo-water, metric volume")).to_contain_text(
        "90 days"
    )
    assert [row["kept_days"] for row in retention.list_policies(connection, None)] == [90]
    page.get_by_text("Who changed what (1)").click()
    expect(page.get_by_text("agreed with the auditor")).to_be_visible()
    maintenance.run_once(connection, BEGIN)
    assert _rows(connection) == 0


def test_a_changed_form_asks_anew(visit: Open, connection: Connection, old_readings: World) -> None:
    assert old_readings
    page = visit("/storage/keep", bearer="water").page
    _fill_form(page, days="90")
    page.get_by_role("button", name="Keep so").click()
    expect(page.get_by_role("button", name="are you sure?")).to_be_visible()
    page.get_by_role("spinbutton").fill("5000")
    expect(page.locator(".silence-preview")).to_contain_text("Nothing would go now")
    page.get_by_role("button", name="Keep so").click()
    expect(page.get_by_text(re.compile(r"^5\s000 days$"))).to_be_visible()
    assert _rows(connection) == 3


def test_a_policy_that_protects_is_removed_only_after_what_goes_was_counted(
    visit: Open, connection: Connection, old_readings: World
) -> None:
    assert old_readings
    for policy in (
        Policy(what=What.READING, kept_days=90),
        Policy(what=What.READING, organisation="demo-water", kept_days=None),
    ):
        retention.set_policy(connection, None, policy, author="tests", reason="set up")
    connection.commit()
    page = visit("/storage").page
    page.get_by_role("link", name="Readings of organisation demo-water").click()
    expect(page.get_by_label("Organisation")).to_be_disabled()
    page.get_by_label("Why").fill("the case is closed")
    page.get_by_role("button", name="Remove the policy").click()
    page.get_by_role("button", name="3 rows go for good: are you sure?").click()
    expect(page.get_by_role("link", name="Readings of all")).to_contain_text("90 days")
    expect(page.get_by_role("link", name="Readings of organisation demo-water")).to_have_count(0)


def test_what_is_held_back_links_to_the_alert_that_needs_it(
    visit: Open, connection: Connection, old_readings: World
) -> None:
    alert = world.add_alert(connection, device=old_readings.meter, organisation=old_readings.water, opened_at=OLD)
    policy = Policy(what=What.READING, organisation="demo-water", kept_days=90)
    retention.set_policy(connection, None, policy, author="tests", reason="set up")
    connection.commit()
    maintenance.roll_up_all(connection)
    maintenance.judge_all(connection)
    page = visit("/storage").page
    held = page.get_by_label("Past its time, and kept all the same").get_by_role("link")
    expect(held).to_contain_text("m-1 of demo-water")
    expect(held).to_have_attribute("href", f"#/alerts/{alert}")


def test_who_operates_the_platform_sees_what_it_takes_and_others_do_not(visit: Open, old_readings: World) -> None:
    assert old_readings
    page = visit("/storage").page
    taken = page.get_by_label("What the database takes")
    expect(taken.get_by_role("row", name=re.compile("^reading"))).not_to_have_count(0)
    expect(taken.get_by_text(re.compile("[KMG]iB")).first).to_be_visible()
    for bearer, cards in (("water", 2), ("viewer", 1)):
        scoped = visit("/storage", bearer=bearer).page
        expect(scoped.get_by_text("of which no policy says anything").first).to_be_visible()
        expect(scoped.locator(".storage > section")).to_have_count(cards)
    expect(scoped.get_by_role("link", name="New policy")).to_have_count(0)


def test_a_policy_for_all_is_not_an_organisations_to_change(visit: Open, connection: Connection, made: World) -> None:
    assert made
    policy = Policy(what=What.READING, kept_days=90)
    retention.set_policy(connection, None, policy, author="tests", reason="set up")
    connection.commit()
    page = visit("/storage", bearer="water").page
    expect(page.get_by_text("Readings of all", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Readings of all")).to_have_count(0)
