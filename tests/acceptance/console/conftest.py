"""The real API over a test's own database, and pages of a real browser that notice everything that goes wrong."""

import os
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from api.server import serve
from launch.ports import choose_port
from launch.web import create_web_app
from tests.acceptance.console.browser import BrowserAbsent, open_browser
from tests.conftest import ABSENT
from tests.integration.api import world
from tests.integration.api.world import World
from veldwatch.config import load_settings
from veldwatch.storage.connection import Connection

Scheme = Literal["light", "dark"]
expect.set_options(timeout=15_000)  # a busy machine draws maps without a graphics card
_OF_THE_BROWSER = "GPU stall due to ReadPixels"
"""It is started so that pages are drawn without the renderer that maps need, and then has to read maps back."""
WIDE = (1440, 900)
PHONE = (390, 844)


# Not for the whole session: while Playwright lives, its event loop runs, and no other test could run one of its own.
@pytest.fixture(scope="module")
def browser(pytestconfig: pytest.Config) -> Generator[Browser]:
    """Start Chromium; without one the run fails in CI and says so loudly elsewhere."""
    try:
        with open_browser() as opened:
            yield opened
    except BrowserAbsent as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"the console's tests need a browser: {error}")
        pytestconfig.stash[ABSENT].add(f"a real browser (the console's tests): {error}")
        pytest.skip(f"no browser: {error}")


@pytest.fixture
def made(connection: Connection) -> World:
    return world.build(connection)


@contextmanager
def running_api(dsn: str, port: int) -> Generator[str]:
    """Serve the API and the console; gives the address."""
    settings = load_settings(dsn=dsn, api_port=port)
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=(create_web_app(settings), settings, stop))
    thread.start()
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/readyz")
        yield address
    finally:
        stop.set()
        thread.join()


def _wait_for(address: str) -> None:
    for _ in range(200):
        try:
            if httpx.get(address).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"{address} does not answer within 10 s")


@pytest.fixture
def api(dsn: str, made: World) -> Generator[str]:  # noqa: ARG001  # the world must be there before the API is
    """Give the address of a running API with the console."""
    with running_api(dsn, choose_port(0)) as address:
        yield address


@dataclass  # no slots: playwright keeps its wrappers on the listener's object
class Watched:
    """A page, and all that must not happen on it."""

    page: Page
    origin: str
    faults: list[str] = field(default_factory=list[str])
    expected: tuple[str, ...] = ()

    def watch(self) -> None:
        """Listen to everything that tells of a fault."""
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.faults.append(f"exception: {error}"))
        self.page.on("request", self._on_request)
        self.page.on("dialog", lambda dialog: self.faults.append(f"dialog: {dialog.message}"))

    def check(self) -> None:
        """Fail when something happened that the test did not expect."""
        left = [fault for fault in self.faults if not any(part in fault for part in self.expected)]
        assert left == []

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and _OF_THE_BROWSER not in message.text:
            self.faults.append(f"console {message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self.origin, "blob:", "data:")):
            self.faults.append(f"request to {request.url}")


Open = Callable[..., Watched]


@pytest.fixture
def visit(browser: Browser, api: str, made: World) -> Generator[Open]:
    """Open views as the bearer of a token; at the end no page may have seen an error or asked another origin."""
    watched: list[Watched] = []

    def open_view(
        view: str,
        *,
        bearer: str | None = "operator",
        size: tuple[int, int] = WIDE,
        scheme: Scheme = "light",
        expected: tuple[str, ...] = (),
    ) -> Watched:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, locale="en-GB"
        )
        one = Watched(context.new_page(), api, expected=expected)
        one.watch()
        watched.append(one)
        token = "" if bearer is None else f"token={made.tokens[bearer]}&to="
        one.page.goto(f"{api}/#{token}{view}")
        return one

    yield open_view
    for one in watched:
        one.page.context.close()
    for one in watched:
        one.check()
