"""Takes the pictures of the documentation from a running demo.

`python -m tests.acceptance.console.take_screenshots .veldwatch/run.json [docs/images]`: run.json is the file that
`veldwatch demo` writes. Let the demo run some minutes first, and start a fault or two, to have something to see.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.acceptance.console.browser import open_browser
from tests.acceptance.console.conftest import PHONE, WIDE, Scheme

_SETTLE_MILLISECONDS = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One view as it looks on one screen."""

    name: str
    view: str
    size: tuple[int, int] = WIDE
    scheme: Scheme = "light"
    click: str | None = None


PICTURES = (
    Picture(name="overview", view="/overview"),
    Picture(name="overview-dark", view="/overview", scheme="dark"),
    Picture(name="alert", view="/alerts", click=".alert-row:has-text('Leak')"),
    Picture(name="device", view="/devices", click="tbody tr:has(.icon-meter) a"),
    Picture(name="phone", view="/overview", size=PHONE),
    Picture(name="phone-alert", view="/alerts", size=PHONE, scheme="dark", click=".alert-row"),
)


def main(run_file: Path, folder: Path) -> None:
    """Write all pictures to a folder."""
    run = json.loads(run_file.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    with open_browser() as browser:
        for picture in PICTURES:
            path = folder / f"console-{picture.name}.png"
            _take(browser, run["api"], run["token"], picture, path)
            sys.stdout.write(f"{path} {path.stat().st_size // 1000} kB\n")


def _take(browser: Browser, address: str, token: str, picture: Picture, path: Path) -> None:
    width, height = picture.size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=picture.scheme,
        locale="en-GB",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{address}/#token={token}&to={picture.view}")
    _settle(page)
    if picture.click is not None:
        page.locator(picture.click).first.click()
        _settle(page)
    page.screenshot(path=path)
    context.close()


def _settle(page: Page) -> None:
    """Wait until nothing is on its way: maps are drawn, and charts and lists have come."""
    page.wait_for_timeout(2000)
    expect(page.locator(".skeleton")).to_have_count(0)
    expect(page.locator(".map:not([data-drawn])")).to_have_count(0)
    page.wait_for_timeout(_SETTLE_MILLISECONDS)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "docs/images"))
