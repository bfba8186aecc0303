"""The thread that feeds the live stream."""

import asyncio
from collections.abc import Callable

import pytest

from api.stream import frames, hub
from api.stream.hub import Hub
from tests.integration.api import world
from tests.integration.api.world import BEGIN, World
from veldwatch.config import Settings
from veldwatch.storage.connection import Connection
from veldwatch.storage.names import Names


def test_what_cannot_be_told_ends_the_streams_and_not_the_hub(
    settings: Settings, connection: Connection, made: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its thread clients would hear heartbeats for ever."""
    written = frames.alert_frame
    refused: list[bytes] = []

    def refuse_the_first(content: bytes) -> bytes:
        if not refused:
            refused.append(content)
            raise ValueError("a defect")
        return written(content)

    monkeypatch.setattr(frames, "alert_frame", refuse_the_first)
    monkeypatch.setattr(hub, "_LONGEST_BACK_OFF_SECONDS", 0.1)

    def add_alert() -> None:
        world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)

    asyncio.run(_listen(Hub(settings.dsn, Names()), add_alert))
    assert refused


async def _listen(feeding: Hub, add_alert: Callable[[], None]) -> None:
    feeding.start()
    try:
        async with asyncio.timeout(60):
            first = feeding.add(None)
            begin = await first.get(20)
            assert begin is not None
            assert begin.begins
            add_alert()
            while not first.closed:
                await first.get(1)
            feeding.remove(first)
            second = feeding.add(None)
            begin = await second.get(20)
            assert begin is not None
            assert begin.begins
            add_alert()
            told = await second.get(20)
            assert told is not None
            assert b"event: alert" in told.content
    finally:
        await feeding.stop()
