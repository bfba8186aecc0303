"""What operators say of devices, in a real browser: confirm, refuse, retire, move."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.acceptance.console.conftest import PHONE, Open
from tests.integration.api import world
from tests.integration.api.world import World
from veldwatch.model.register import Subject
from veldwatch.storage import deployments, register
from veldwatch.storage.connection import Connection

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)]


@pytest.fixture
def waiting(connection: Connection, made: World) -> None:
    register.register_unknown(connection, made.water, ["logger-7", "logger-8", "logger-9"], "veldwatch")
    connection.commit()


@pytest.fixture
def animals(connection: Connection, made: World) -> None:
    for slug, name in (("tembo", "Tembo"), ("duma", "Duma")):
        subject = Subject(
            organisation_id=made.wildlife, slug=slug, name=name, kind="animal", species="Loxodonta africana"
        )
        number = register.ensure_subject(connection, subject)
        if slug == "tembo":
            deployments.create_deployment(connection, made.collar, number, datetime(2026, 1, 1, tzinfo=UTC))
    now = datetime.now(UTC)
    track = [(now - timedelta(hours=9 - n), 31.1 + n / 40, -10.1 - n / 60) for n in range(9)]
    world.add_fixes(connection, made.collar, [*track, (now - timedelta(minutes=30), 38.0, -4.0)])
    connection.commit()


def _statuses(connection: Connection) -> dict[str, str]:
    found = connection.execute("SELECT external_id, status FROM device WHERE external_id LIKE 'logger-%'").fetchall()
    connection.rollback()
    return dict(found)


@pytest.mark.usefixtures("waiting")
def test_devices_that_registered_themselves_are_confirmed_and_refused(visit: Open, connection: Connection) -> None:
    page = visit("/devices").page
    expect(page.locator(".waiting")).to_contain_text("3 devices registered themselves")
    page.get_by_role("button", name="Show them").click()
    row = page.locator("tbody tr", has_text="logger-7")
    row.get_by_role("button", name="Refuse").click()
    expect(page.locator("#toasts")).to_contain_text("The device is refused")
    expect(page.locator(".waiting")).to_contain_text("2 devices")
    page.get_by_role("button", name="Confirm all").click()
    expect(page.locator(".waiting")).to_be_hidden()
    assert _statuses(connection) == {"logger-7": "refused", "logger-8": "active", "logger-9": "active"}
    page.get_by_label("Status").select_option("refused")
    expect(page.locator("tbody tr")).to_have_count(1)


@pytest.mark.usefixtures("waiting")
def test_a_viewer_decides_nothing(visit: Open, made: World) -> None:
    page = visit("/devices", bearer="viewer").page
    expect(page.get_by_text("6 of 6")).to_be_visible()
    expect(page.locator(".waiting")).to_have_count(0)
    page.goto(page.url.split("#")[0] + f"#/devices/{made.meter}")
    expect(page.get_by_role("heading", name="Deployments")).to_be_visible()
    expect(page.get_by_role("button", name="Retire")).to_have_count(0)


def test_a_device_is_retired_and_put_back(visit: Open, made: World) -> None:
    page = visit(f"/devices/{made.meter}").page
    page.get_by_role("button", name="Retire").click()
    expect(page.locator("#device-head .chip").first).to_have_text("Retired")
    page.get_by_role("button", name="Put back").click()
    expect(page.locator("#device-head .chip").first).to_have_text("Active")


@pytest.mark.usefixtures("animals")
@pytest.mark.parametrize("size", [(1440, 900), PHONE])
def test_a_collar_is_moved_to_another_animal(visit: Open, made: World, size: tuple[int, int]) -> None:
    page = visit(f"/devices/{made.collar}", size=size).page
    card = page.get_by_role("region", name="Deployments")
    expect(card).to_contain_text("Tembo")
    expect(card).to_contain_text("Loxodonta africana")
    card.get_by_label("Subject").select_option("duma")
    card.get_by_role("button", name="Move here").click()
    expect(card.locator(".deployment").first).to_contain_text("Duma")
    expect(card.locator(".deployment")).to_have_count(2)
    card.get_by_role("button", name="Take off").click()
    expect(card.locator(".badge")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
