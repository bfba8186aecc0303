"""Operators change a rule, try it on history and save it, in a real browser."""

import threading
from collections.abc import Generator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from rules.backtests.desk import Desk
from tests.acceptance.console.conftest import PHONE, Open, Scheme
from tests.integration.api import world
from tests.integration.api.world import RULE, World
from veldwatch.model.notifications import Channel
from veldwatch.storage.connection import Connection
from veldwatch.storage.receivers import NewReceiver, add_receiver
from veldwatch.storage.rules import get_rule, save_rule
from veldwatch.wire.rule_document import parse_rule

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)]
SLUG = str(RULE["id"])


@pytest.fixture
def pressures(connection: Connection, made: World, dsn: str) -> Generator[World]:
    """Store pressures of ten days that drop now and then, and have back-tests carried out."""
    begin = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=10)
    values = [1.2 if n % 50 < 5 else 1.7 if n % 30 < 3 else 2.4 for n in range(230)]
    world.add_readings(connection, made.pressure, [(begin + timedelta(hours=n), v) for n, v in enumerate(values)])
    save_rule(connection, parse_rule(RULE), "tests")
    add_receiver(connection, NewReceiver(slug="desk", channel=Channel.EMAIL, address="desk@town.example"))
    connection.commit()
    stop = threading.Event()
    desk = threading.Thread(target=Desk(dsn).run, args=(stop,))
    desk.start()
    yield made
    stop.set()
    desk.join()


def tried(page: Page) -> None:
    page.get_by_label("Below").fill("1.8")
    page.get_by_role("button", name="Month").click()
    page.get_by_role("button", name="Try it on history").click()
    expect(page.locator(".backtest-result")).to_be_visible(timeout=60_000)


def test_a_draft_is_tried_and_saved_as_the_new_version(visit: Open, pressures: World, connection: Connection) -> None:
    assert pressures
    page = visit(f"/rules/{SLUG}").page
    page.get_by_role("link", name="Change and try").click()
    tried(page)
    result = page.locator(".backtest-result")
    expect(result.locator(".figure").nth(0)).to_contain_text("now 5")
    expect(result.locator(".lane-draft.lane-bar").first).to_be_attached()
    expect(result.locator(".lane-present.lane-bar")).to_have_count(5)
    expect(result.get_by_text("desk", exact=True)).to_be_visible()
    result.get_by_role("button", name="New", exact=True).click()
    expect(result.locator("tbody .difference-new").first).to_be_visible()
    expect(result.locator("tbody .difference-same")).to_have_count(0)
    page.get_by_role("button", name="Save as the new version").click()
    expect(page.locator("#toasts")).to_contain_text("stored as version 2")
    assert get_rule(connection, SLUG).definition["condition"]["below"] == 1.8


def test_errors_are_shown_where_they_are(visit: Open, pressures: World) -> None:
    assert pressures
    page = visit(f"/rules/{SLUG}?draft=1", expected=("422",)).page
    page.get_by_label("Hold for").fill("soon")
    field = page.locator("label", has=page.get_by_label("Hold for"))
    expect(field.locator(".field-wrong")).to_contain_text("soon")
    expect(page.get_by_role("button", name="Save as the new version")).to_be_disabled()
    expect(page.get_by_role("button", name="Try it on history")).to_be_disabled()
    page.get_by_label("Hold for").fill("10m")
    expect(page.get_by_role("button", name="Save as the new version")).to_be_enabled()
    page.get_by_role("button", name="Text", exact=True).click()
    text = page.get_by_label("Definition as JSON")
    expect(text).to_have_value(expected_text())
    text.fill("{")
    expect(page.locator(".rule-form .gate-error")).to_contain_text("The text is not JSON")
    text.fill('{"id": "x", "title": "X", "severity": "minor", "condition": {"kind": "absence"}}')
    expect(page.locator(".rule-form .gate-error")).to_contain_text("condition.silent_for")


def expected_text() -> str:
    return (
        '{\n  "id": "water.low-pressure",\n  "title": "Pressure is too low",\n  "select": {\n'
        '    "organisation": "demo-water"\n  },\n  "severity": "major",\n  "condition": {\n    "kind": "threshold",\n'
        '    "below": 1.5,\n    "metric": "pressure"\n  },\n  "hold_for": "10m"\n}'
    )


def test_a_new_rule_begins_blank_and_changes_its_kind(visit: Open, pressures: World, connection: Connection) -> None:
    assert pressures
    page = visit("/rules", expected=("422",)).page
    page.get_by_role("link", name="New rule").click()
    page.get_by_label("Id *").fill("water.silent")
    page.get_by_label("Title *").fill("Silent")
    page.get_by_label("Kind *").select_option("absence")
    page.get_by_label("Silent for *").fill("2h")
    page.get_by_label("Organisation").fill("demo-water")
    page.get_by_role("button", name="Save the rule").click()
    expect(page.locator("#toasts")).to_contain_text("stored as version 1")
    assert get_rule(connection, "water.silent").definition["condition"] == {"kind": "absence", "silent_for": "2h"}


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (PHONE, "dark"), ((1440, 900), "dark")])
def test_the_workbench_fits(visit: Open, pressures: World, size: tuple[int, int], scheme: Scheme) -> None:
    assert pressures
    page = visit(f"/rules/{SLUG}?draft=1", size=size, scheme=scheme).page
    tried(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator(".backtest-result .figure").nth(0)).to_contain_text("now 5")
