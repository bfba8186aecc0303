"""Every view on a wide screen and a phone, light and dark: it fits, it is drawn, nothing comes from elsewhere."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.console.conftest import PHONE, WIDE, Open, Scheme
from tests.integration.api import world
from tests.integration.api.world import World
from veldwatch.storage.connection import Connection

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)]

VIEWS = (
    "/overview",
    "/incidents",
    "/alerts",
    "/devices",
    "/quarantine",
    "/sources",
    "/mailbox",
    "/simulator",
    "/rules",
    "/quiet",
    "/storage",
    "/storage/keep",
    "/more",
)

_COLOURS = """async (png) => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
  return { colours: new Set(pixels).size, brightness: pixels.reduce((sum, p) => sum + (p & 255), 0) / pixels.length };
}"""


def _fill(made: World, connection: Connection) -> None:
    now = datetime.now(UTC)
    world.add_readings(connection, made.volume, [(now - timedelta(minutes=m), 100.0 - m / 10) for m in range(60)])
    world.add_fixes(
        connection, made.collar, [(now - timedelta(minutes=m), 31.2 + m / 2000, -10.3 + m / 3000) for m in range(30)]
    )
    world.add_contact(connection, made.meter, now)
    world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=now - timedelta(hours=2))


def _drawn(page: Page) -> tuple[int, float]:
    """Count the colours of the map as it is on the screen, and its mean brightness (of red, 0 to 255)."""
    png = base64.b64encode(page.locator(".map").first.screenshot()).decode()
    found = page.evaluate(_COLOURS, png)
    return found["colours"], found["brightness"]


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_fits_its_screen(
    visit: Open, made: World, connection: Connection, size: tuple[int, int], scheme: Scheme
) -> None:
    _fill(made, connection)
    page = visit("/overview", size=size, scheme=scheme, expected=("404",)).page
    for view in (*VIEWS, f"/devices/{made.meter}", f"/devices/{made.collar}"):
        page.evaluate("(hash) => { location.hash = hash; }", view)
        expect(page.locator("#view .skeleton")).to_have_count(0)
        page.wait_for_timeout(200)
        wide = page.evaluate(
            "Math.max(document.documentElement.scrollWidth, document.getElementById('view').scrollWidth)"
        )
        assert wide <= size[0], f"{view} is {wide} pixels wide on a screen of {size[0]}"


@pytest.mark.parametrize(("scheme", "darkest", "brightest"), [("light", 190, 256), ("dark", 0, 80)])
def test_the_map_is_drawn_in_the_colours_of_the_scheme(
    visit: Open, made: World, connection: Connection, scheme: Scheme, darkest: int, brightest: int
) -> None:
    _fill(made, connection)
    page = visit("/overview", scheme=scheme).page
    page.locator(".map[data-drawn]").wait_for()
    page.wait_for_timeout(500)
    colours, brightness = _drawn(page)
    assert colours > 50
    assert darkest <= brightness < brightest


def test_the_toggle_changes_the_colours_against_the_system(visit: Open) -> None:
    # A style that is being replaced may ask once more for an image that went with it: nothing is drawn of it.
    page = visit("/overview", scheme="light", expected=("could not be loaded",)).page
    page.locator(".map[data-drawn]").wait_for()
    for _ in range(2):  # as the system, light, dark
        page.get_by_role("button", name="Colours").click()
    page.locator(".map[data-drawn]").wait_for()
    page.wait_for_timeout(500)
    assert _drawn(page)[1] < 80
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 19, 18)"
