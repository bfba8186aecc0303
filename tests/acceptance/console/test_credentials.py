"""Credentials on a device's page: the secret is seen once, a device's name stays text, viewers see nothing of it."""

import shlex

import pytest
from playwright.sync_api import expect

from tests.acceptance.console.conftest import PHONE, Open
from tests.integration.api.world import World
from veldwatch.storage import credentials
from veldwatch.storage.connection import Connection
from veldwatch.verifiers import is_secret_of

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)]


@pytest.mark.parametrize("size", [(1440, 900), PHONE], ids=["wide", "phone"])
def test_a_credential_is_created_shown_once_and_revoked(
    visit: Open, made: World, connection: Connection, size: tuple[int, int]
) -> None:
    page = visit(f"/devices/{made.meter}", size=size).page
    card = page.get_by_role("region", name="Credentials")
    expect(card).to_contain_text("None: this device cannot connect by itself.")
    card.get_by_role("button", name="Create credential").click()
    card.get_by_label("Note").fill("<b>spare</b>")
    card.get_by_role("button", name="Create", exact=True).click()
    expect(card).to_contain_text("shown this once")
    name, secret, line = card.locator(".copied").all_text_contents()
    account = credentials.find_account(connection, name)
    assert account is not None
    assert is_secret_of(account.pbkdf2, secret)
    words = shlex.split(line)
    assert words[words.index("-P") + 1] == secret
    assert words[words.index("-t") + 1] == "veldwatch/v1/demo-water/m-1/readings"
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    card.get_by_role("button", name="I have it").click()
    expect(card).not_to_contain_text(secret)
    expect(card.locator(".credential")).to_contain_text("<b>spare</b>")
    card.get_by_role("button", name="Rotate").click()
    expect(card).to_contain_text("The old one lets in for 24 h more.")
    expect(card.locator(".credential")).to_have_count(2)
    oldest = card.locator(".credential").last
    oldest.get_by_role("button", name="Revoke").click()
    oldest.get_by_role("button", name="Really revoke?").click()
    expect(oldest).to_contain_text("revoked by control room")
    connection.rollback()
    assert credentials.find_account(connection, name) is None


def test_a_wrong_subject_is_told_beside_the_form(visit: Open, made: World) -> None:
    page = visit(f"/devices/{made.meter}", expected=("422",)).page
    card = page.get_by_role("region", name="Credentials")
    card.get_by_role("button", name="Create credential").click()
    card.get_by_label("Certificate's subject").fill("meter")
    card.get_by_role("button", name="Create", exact=True).click()
    expect(card.get_by_role("alert")).to_contain_text("bad subject")


def test_a_viewer_sees_nothing_of_them(visit: Open, made: World) -> None:
    page = visit(f"/devices/{made.meter}", bearer="viewer").page
    expect(page.get_by_role("region", name="Events")).to_be_visible()
    expect(page.get_by_role("region", name="Credentials")).to_have_count(0)
