"""What one client of the live stream is told, where the hub and the log say the same."""

import asyncio
import json
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from datetime import timedelta

import numpy as np

from api.parts import Parts
from api.stream import frames
from api.stream.follower import Follower, Frame
from api.stream.story import find_beginning, tell
from launch.web import create_web_app
from tests.databases import await_log
from tests.integration.api import world
from tests.integration.api.world import BEGIN, World
from veldwatch.config import Settings
from veldwatch.storage import log
from veldwatch.storage.connection import Connection
from veldwatch.storage.tokens import revoke_token


def test_what_was_read_from_the_log_is_not_told_again_when_the_hub_joins_it_with_what_comes_after(
    settings: Settings, connection: Connection, made: World
) -> None:
    parts: Parts = create_web_app(settings).state.parts
    parts.pool.open()
    try:
        with ThreadPoolExecutor(max_workers=1) as threads:
            told = threads.submit(asyncio.run, _listen(parts, connection, made)).result()
    finally:
        parts.pool.close()
    assert told == [[1.0], [2.0], [3.0]]


async def _listen(parts: Parts, connection: Connection, made: World) -> list[list[float]]:
    """Listen to a hub that is slower than the client: it joins what was read from the log with what came after."""
    async with asyncio.timeout(60):
        return await _listened(parts, connection, made)


async def _listened(parts: Parts, connection: Connection, made: World) -> list[list[float]]:
    beginning, follower = find_beginning(parts, None), Follower(None)

    def write(value: float) -> None:
        world.add_readings(connection, made.volume, [(BEGIN + timedelta(minutes=value), value)])

    write(1)
    stream = tell(parts, follower, beginning, made.tokens["operator"])
    told = [await _next_batch(stream)]
    write(2)
    joined = parts.hub.chapter(connection, log.read(connection, beginning.cursor, 10))
    assert len(joined.readings) == 2
    follower.put(Frame(content=frames.batch_frame(joined, None), cursor=joined.cursor, after=beginning.cursor))
    told.append(await _next_batch(stream))
    write(3)
    last = parts.hub.chapter(connection, log.read(connection, joined.cursor, 10))
    follower.put(Frame(content=frames.batch_frame(last, None), cursor=last.cursor, after=joined.cursor))
    told.append(await _next_batch(stream))
    await stream.aclose()
    return told


def test_a_token_that_is_revoked_is_told_no_more_though_there_is_always_something_to_tell(
    settings: Settings, connection: Connection, made: World
) -> None:
    parts: Parts = create_web_app(settings).state.parts
    parts.pool.open()
    try:
        with ThreadPoolExecutor(max_workers=1) as threads:
            threads.submit(asyncio.run, _listen_without_a_token(parts, connection, made)).result()
    finally:
        parts.pool.close()


async def _listen_without_a_token(parts: Parts, connection: Connection, made: World) -> None:
    follower, beginning = Follower(None), find_beginning(parts, None)
    stream = tell(parts, follower, beginning, made.tokens["viewer"], check_seconds=0.2)
    told = frames.alert_frame(b"{}")
    async with asyncio.timeout(10), aclosing(stream):
        await anext(stream)  # where it begins
        follower.put(Frame(content=told, cursor=None))
        assert await anext(stream) == told
        row = connection.execute("SELECT id FROM token WHERE name = 'wall screen'").fetchone()
        assert row is not None
        revoke_token(connection, row[0])
        connection.commit()
        follower.put(Frame(content=told, cursor=None))
        async for content in stream:
            assert content == told
            await asyncio.sleep(0.01)
            follower.put(Frame(content=told, cursor=None))


def test_what_an_import_wrote_meanwhile_is_read_in_parts(
    settings: Settings, connection: Connection, made: World
) -> None:
    parts: Parts = create_web_app(settings).state.parts
    world.add_readings(connection, made.volume, [(BEGIN, 1.0)])
    await_log(connection)
    at = log.read(connection, log.START, 100)[-1][0]
    block = np.zeros(20_000, log.READINGS)
    block["series_id"] = made.volume
    for _ in range(12):
        log.append(connection, log.LogBatch(readings=block))
    connection.commit()
    await_log(connection)
    parts.pool.open()
    try:
        with ThreadPoolExecutor(max_workers=1) as threads:
            place = frames.format_cursor(at).decode()
            told = threads.submit(asyncio.run, _listen_from(parts, made, place, 12 * 20_000)).result()
    finally:
        parts.pool.close()
    assert max(told) < 12 * 20_000
    assert sum(told) == 12 * 20_000


async def _listen_from(parts: Parts, made: World, place: str, readings: int) -> list[int]:
    """Listen until so many readings were told, or left out; give how many by each frame."""
    follower = Follower(None)
    told: list[int] = []
    async with (
        asyncio.timeout(60),
        aclosing(tell(parts, follower, find_beginning(parts, place), made.tokens["operator"])) as stream,
    ):
        async for content in stream:
            if content.startswith(b"event: batch"):
                data = json.loads(content.split(b"data: ")[1])
                told.append(len(data["readings"]) + data["omitted"])
                if sum(told) >= readings:
                    break
    return told


async def _next_batch(stream: AsyncGenerator[bytes]) -> list[float]:
    async for content in stream:
        if content.startswith(b"event: batch"):
            data = json.loads(content.split(b"data: ")[1])
            return [reading["value"] for reading in data["readings"]]
    raise AssertionError("the stream ended")
