"""Working through the quarantine in a real browser: groups, payloads, replay, discard, and ten thousand rows."""

import threading
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ingest.live_sources import LiveSources
from ingest.names import Names
from ingest.replay import Replay
from tests.acceptance.console.conftest import PHONE, WIDE, Open, Scheme
from veldwatch.config import Settings
from veldwatch.model.reasons import Reason
from veldwatch.storage import quarantine
from veldwatch.storage.connection import Connection
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.quarantine import Quarantined

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)]
REPOSITORY = Path(__file__).resolve().parents[3]
CONSOLE = REPOSITORY / "api" / "console"
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
HOSTILE = b"<script>alert(1)</script>"


def row(
    topic: str, payload: bytes, reason: Reason = Reason.NO_SOURCE, detail: str = "no source takes this topic"
) -> Quarantined:
    return Quarantined(NOW, "", topic, payload, reason, detail)


def fill(connection: Connection, *rows: Quarantined) -> None:
    quarantine.add(connection, rows)
    connection.commit()


@pytest.fixture
def ingest(dsn: str) -> Generator[None]:
    """Take replays up, as `veldwatch ingest run` does."""
    settings = Settings(dsn=dsn, register_unknown_devices=True)
    replay, writer, stop = (
        Replay(settings, LiveSources(settings), Names(settings)),
        IntakeWriter(dsn),
        threading.Event(),
    )

    def work() -> None:
        while not stop.wait(0.02):
            if replay.due:
                replay.work(writer, live=False)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()
    writer.close()


def test_every_reason_is_explained() -> None:
    words = (CONSOLE / "modules" / "quarantine_message.js").read_text(encoding="utf-8")
    guide = (REPOSITORY / "docs" / "how-to" / "quarantine.md").read_text(encoding="utf-8")
    assert [reason.value for reason in Reason if f"{reason.value}: " not in words] == []
    assert [reason.value for reason in Reason if f"`{reason.value}`" not in guide] == []


def test_groups_lead_to_messages_and_messages_to_their_bytes(visit: Open, connection: Connection) -> None:
    fill(
        connection,
        row("meters/1/up", b'{"flow": {"value": 1}}'),
        row("meters/2/up", HOSTILE),
        row("meters/3/up", b"\x00\xff\x01"),
        row("x", b"y", Reason.BAD_TIME, "time is '<b>'"),
    )
    page = visit("/quarantine").page
    groups = page.locator(".group-row")
    expect(groups).to_have_count(2)
    expect(groups.first).to_contain_text("meters/+/up")
    expect(groups.first.locator(".chip")).to_have_text("3")
    groups.first.click()
    expect(page.locator("[data-id]")).to_have_count(3)
    page.locator("[data-id]", has_text="meters/1").click()
    expect(page.locator(".payload").last).to_contain_text('"value": 1')
    page.locator("[data-id]", has_text="meters/2").click()
    expect(page.locator(".payload").last).to_have_text(HOSTILE.decode())
    page.locator("[data-id]", has_text="meters/3").click()
    expect(page.locator(".payload").last).to_contain_text("00 ff 01")
    page.get_by_role("button", name="Groups").click()
    expect(groups).to_have_count(2)


def test_a_group_is_replayed_and_its_progress_is_seen(visit: Open, connection: Connection, ingest: None) -> None:
    del ingest
    readings = [
        row(f"veldwatch/v1/demo-water/m-{n}/readings", b'{"observed_at": %d, "readings": {"x": 1}}' % (1.7e9 + n))
        for n in range(600)
    ]
    fill(connection, *readings, row("veldwatch/v1/demo-water/m-1/readings", b"{", Reason.NO_SOURCE))
    page = visit("/quarantine").page
    page.locator(".group-row").first.click()
    page.get_by_role("button", name="Replay all").click()
    expect(page.locator("#toasts")).to_contain_text("601 messages are taken in again")
    expect(page.locator(".replay[data-state='finished']")).to_contain_text("600 stored, 1 failed again", timeout=30_000)
    page.locator(".replay").get_by_role("link", name="malformed payload").click()
    expect(page.locator(".timeline")).to_contain_text("Failed: malformed payload")
    assert connection.execute("SELECT count(*) FROM reading_raw").fetchone() == (600,)


def test_an_unknown_device_is_registered_and_its_message_replayed(
    visit: Open, connection: Connection, ingest: None
) -> None:
    del ingest
    message = row(
        "veldwatch/v1/demo-water/pump-9/readings",
        b'{"observed_at": 1700000000, "readings": {"x": 1}}',
        Reason.UNKNOWN_DEVICE,
        "device 'pump-9' (register it)",
    )
    fill(connection, message._replace(source="veldwatch", organisation="demo-water", device="pump-9"))
    number = quarantine.newest(connection)[0].id
    page = visit(f"/quarantine/{number}").page
    page.get_by_role("button", name="Register this device").click()
    expect(page.get_by_role("button", name="Registered")).to_be_visible()
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.locator(".detail-head")).to_contain_text("Stored by a replay", timeout=30_000)
    found = connection.execute("SELECT status FROM device WHERE external_id = 'pump-9'").fetchone()
    assert found == ("active",)


def test_a_group_is_discarded_with_a_reason(visit: Open, connection: Connection) -> None:
    fill(connection, row("rig/1", b"a"), row("rig/2", b"b"))
    page = visit("/quarantine").page
    page.locator(".group-row").click()
    page.get_by_role("button", name="Discard all").click()
    page.get_by_label("Why they are given up").fill("a test rig <b>")
    page.get_by_role("button", name="Discard all").click()
    expect(page.locator("#toasts")).to_contain_text("2 discarded")
    expect(page.get_by_text("None waits")).to_be_visible()
    assert connection.execute("SELECT author, reason FROM quarantine_discard").fetchone() == (
        "control room",
        "a test rig <b>",
    )


def test_a_message_leads_to_the_source_that_is_to_read_it(visit: Open, connection: Connection) -> None:
    fill(connection, row("meters/1/up", b'{"flow": 1}'))
    page = visit(f"/quarantine/{quarantine.newest(connection)[0].id}").page
    page.get_by_role("link", name="Make a source").click()
    expect(page.get_by_text("From quarantine: message")).to_be_visible()


def test_a_viewer_sees_groups_and_neither_payloads_nor_buttons(visit: Open, connection: Connection) -> None:
    fill(connection, row("meters/1/up", b"secret place"))
    page = visit("/quarantine", bearer="viewer").page
    page.locator(".group-row").click()
    page.locator("[data-id]").click()
    expect(page.get_by_text("only operators see it")).to_be_visible()
    expect(page.get_by_role("button", name="Replay")).to_have_count(0)
    assert "secret" not in page.content()


def test_ten_thousand_messages_do_not_hold_the_page_up(visit: Open, connection: Connection) -> None:
    fill(connection, *(row(f"meters/{n}/up", b"%d" % n) for n in range(10_000)))
    page = visit("/quarantine").page
    page.locator(".group-row").click()
    expect(page.locator("[data-id]")).to_have_count(100)
    page.get_by_role("button", name="Show older messages").click()
    expect(page.locator("[data-id]")).to_have_count(200)
    page.get_by_role("button", name="Replay all").click()
    expect(page.locator(".replay")).to_contain_text("0 of 10")
    page.locator("[data-id]").nth(50).click()
    expect(page.locator(".detail-head")).to_contain_text("In replay")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".replay")).to_contain_text("cancelled")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_its_screen(visit: Open, connection: Connection, size: tuple[int, int], scheme: Scheme) -> None:
    fill(
        connection,
        row("meters/1/up", b'{"flow": {"value": 1, "unit": "L/h"}}'),
        row("a/" + "very-long-level-without-end/" * 6, b"x" * 300, Reason.MALFORMED_PAYLOAD, "w" * 300),
        *(row(f"meters/{n}/up", b"%d" % n, Reason.BAD_VALUE, "x is 'lots'") for n in range(40)),
    )
    page = visit("/quarantine", size=size, scheme=scheme).page
    expect(page.locator(".group-row")).to_have_count(3)
    for step in ("groups", "messages", "message"):
        if step == "messages":
            page.locator(".group-row", has_text="Malformed payload").click()
        if step == "message":
            page.locator("[data-id]").click()
            expect(page.locator(".payload").last).to_be_visible()
        wide = page.evaluate(
            "Math.max(document.documentElement.scrollWidth, document.getElementById('view').scrollWidth)"
        )
        assert wide <= size[0], step
