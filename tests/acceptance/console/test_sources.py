"""Operators see, change and try sources in a real browser."""

import json
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.console.conftest import PHONE, Open
from veldwatch.config import Source
from veldwatch.model.reasons import Reason
from veldwatch.storage import quarantine
from veldwatch.storage.connection import Connection
from veldwatch.storage.quarantine import Quarantined
from veldwatch.storage.sources import get_source, list_sources, save_source

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)]

OPTIONS = {"device": "{topic[1]}", "metrics": [{"name": "flow_rate", "value": "$.flow", "unit": "L/h"}]}
LOGGERS = Source(
    name="loggers", topic_filter="town/+/state", decoder="mapping", options=OPTIONS, organisation="demo-water"
)


@pytest.fixture
def loggers(connection: Connection) -> Source:
    save_source(connection, LOGGERS, "tests", priority=40)
    connection.commit()
    return LOGGERS


def outcome(page: Page, wanted: str) -> None:
    expect(page.locator("[data-outcome]")).to_have_attribute("data-outcome", wanted)


def test_sources_stand_in_the_order_in_which_they_are_asked(visit: Open, loggers: Source) -> None:
    page = visit("/sources").page
    rows = page.locator(".list-row")
    expect(rows.nth(0)).to_contain_text(loggers.name)
    expect(rows.nth(0)).to_contain_text("40")
    expect(rows.nth(1)).to_contain_text("settings")
    expect(page.get_by_label("Topic filter")).to_have_value("town/+/state")


def test_a_pasted_message_is_told_at_once_and_again_when_the_source_changes(visit: Open, loggers: Source) -> None:
    page = visit(f"/sources/{loggers.name}", expected=("422",)).page
    page.get_by_label("Topic", exact=True).fill("town/l7/state")
    page.get_by_label("Payload", exact=True).fill('{"flow": 114.5, "<b>": "<img src=x onerror=alert(1)>"}')
    outcome(page, "quarantined")
    expect(page.locator(".source-result")).to_contain_text("not registered, and this source may not register it")
    page.get_by_label("Devices that nobody registered").select_option("true")
    outcome(page, "stored")
    expect(page.locator(".source-table")).to_contain_text("flow_rate")
    expect(page.locator(".source-table")).to_contain_text("114.5 L/h")
    options = page.get_by_label("Options of the decoder")
    options.fill(json.dumps(OPTIONS).replace("$.flow", "$['<b>']"))
    outcome(page, "quarantined")
    expect(page.locator(".source-result")).to_contain_text("<img src=x onerror=alert(1)>")
    options.fill("{")
    expect(page.locator(".source-result")).to_contain_text("The options are not JSON")
    options.fill('{"metrics": [{"name": "x", "value": "flow"}]}')
    expect(page.locator(".source-result")).to_contain_text("metrics[0].value: 'flow' is not a JSONPath")


def test_a_source_is_changed_and_removed(visit: Open, loggers: Source, connection: Connection) -> None:
    page = visit(f"/sources/{loggers.name}").page
    page.get_by_label("Priority").fill("7")
    page.get_by_label("Takes messages").uncheck()
    page.get_by_text("How new devices are registered").click()
    page.get_by_label("Only identifiers like").fill("logger-[0-9]+")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("loggers is stored")
    expect(page.locator(".list-row").nth(0)).to_contain_text("Off")
    stored = get_source(connection, "loggers")
    assert (stored.priority, stored.enabled, stored.updated_by) == (7, False, "control room")
    assert stored.source == LOGGERS.model_copy(update={"device_pattern": "logger-[0-9]+"})
    connection.rollback()
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("#toasts")).to_contain_text("loggers is removed")
    expect(page.locator(".list-row", has_text="loggers")).to_have_count(0)
    assert list_sources(connection) == []


def test_what_the_server_refuses_is_said_and_nothing_is_lost(visit: Open, loggers: Source) -> None:
    page = visit(f"/sources/{loggers.name}", expected=("422",)).page
    page.get_by_label("Topic filter").fill("town/#/state")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".source-form [role=alert]")).to_contain_text("bad topic filter: 'town/#/state'")
    expect(page.get_by_label("Topic filter")).to_have_value("town/#/state")


def test_a_source_of_the_settings_is_changed_by_one_of_its_name(visit: Open, connection: Connection) -> None:
    page = visit("/sources/owntracks").page
    expect(page.get_by_text("Of the settings")).to_be_visible()
    expect(page.get_by_role("button", name="Remove")).to_have_count(0)
    page.get_by_label("Organisation").fill("demo-wildlife")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".list-row").nth(0)).to_contain_text("owntracks")
    assert get_source(connection, "owntracks").source.organisation == "demo-wildlife"


def test_a_quarantined_message_becomes_a_source_that_reads_it(visit: Open, connection: Connection) -> None:
    row = Quarantined(
        datetime.now(UTC),
        "",
        "town/l7/state",
        b'{"flow": 3, "ok": true}',
        Reason.NO_SOURCE,
        "no source takes this topic",
    )
    quarantine.add(connection, [row])
    connection.commit()
    number = quarantine.newest(connection)[0].id
    connection.rollback()
    page = visit(f"/sources/new?quarantine={number}").page
    expect(page.get_by_label("Payload", exact=True)).to_have_value('{"flow": 3, "ok": true}')
    page.get_by_role("button", name="Nested JSON").click()
    page.get_by_role("button", name="Every number").click()
    page.get_by_label("Devices that nobody registered").select_option("true")
    outcome(page, "stored")
    expect(page.locator(".source-table")).to_contain_text("flow")
    page.get_by_label("Name").fill("town-state")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("town-state is stored")
    stored = get_source(connection, "town-state").source
    assert (stored.decoder, stored.topic_filter, stored.register_unknown) == ("mapping", "town/+/state", True)
    assert stored.options == {"device": "{topic[1]}"}


def test_a_viewer_sees_sources_and_changes_and_tries_none(visit: Open, loggers: Source) -> None:
    page = visit(f"/sources/{loggers.name}", bearer="viewer").page
    expect(page.get_by_label("Topic filter")).to_be_disabled()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    expect(page.get_by_text("Only operators try messages")).to_be_visible()
    expect(page.get_by_role("link", name="New source")).to_have_count(0)


def test_an_operator_of_one_organisation_tries_but_does_not_change(visit: Open, loggers: Source) -> None:
    page = visit(f"/sources/{loggers.name}", bearer="water").page
    expect(page.get_by_label("Topic filter")).to_be_disabled()
    page.get_by_label("Payload", exact=True).fill('{"flow": 1}')
    outcome(page, "quarantined")


def test_on_the_phone_a_source_opens_over_the_list_and_closes_again(visit: Open, loggers: Source) -> None:
    page = visit("/more", size=PHONE).page
    page.get_by_role("link", name="Sources").click()
    page.locator(".list-row", has_text=loggers.name).click()
    expect(page.get_by_label("Topic filter")).to_be_visible()
    page.get_by_role("link", name="Sources").first.click()
    expect(page.locator(".list-row", has_text=loggers.name)).to_be_visible()
