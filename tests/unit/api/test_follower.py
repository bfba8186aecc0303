"""One client's queue: in order, bounded, and closed without losing what waits."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from api.stream import follower as module
from api.stream.follower import Follower, Frame

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run in a thread of its own: the browser's tests leave an event loop running in the main one."""
    with ThreadPoolExecutor(max_workers=1) as threads:
        return threads.submit(asyncio.run, coroutine).result()


def _frame(content: bytes = b"x") -> Frame:
    return Frame(content=content, cursor=None)


def test_frames_come_in_order_and_none_after_the_time() -> None:
    async def check() -> list[bytes | None]:
        follower = Follower(None)
        follower.put(_frame(b"1"))
        follower.put(_frame(b"2"))
        frames = [await follower.get(0.01) for _ in range(3)]
        return [frame and frame.content for frame in frames]

    assert run(check()) == [b"1", b"2", None]


def test_a_waiting_client_wakes_at_once() -> None:
    async def check() -> Frame | None:
        follower = Follower(None)
        asyncio.get_running_loop().call_later(0.01, follower.put, _frame())
        return await follower.get(30)

    assert run(check()) is not None


@pytest.mark.parametrize(("size", "count"), [(1, 1000), (module.MOST_BYTES // 3, 4)])
def test_a_client_that_reads_too_slowly_is_given_up_and_holds_nothing(size: int, count: int) -> None:
    async def check() -> None:
        follower = Follower(None)
        for _ in range(count * 3):
            follower.put(_frame(b"x" * size))
        assert follower.overflowed
        assert await follower.get(30) is None

    run(check())


def test_what_waits_is_told_before_the_end() -> None:
    async def check() -> None:
        follower = Follower(None)
        follower.put(_frame())
        follower.close()
        assert await follower.get(30) is not None
        assert await follower.get(30) is None

    run(check())
