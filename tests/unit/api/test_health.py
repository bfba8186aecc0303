"""Counting a batch's readings from its first bytes."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veldwatch.storage.health import readings_in
from veldwatch.storage.log import READINGS


@pytest.mark.parametrize("count", [0, 1, 8, 9, 2184, 2185, 50_000])
def test_readings_are_counted_whatever_the_length_of_their_length(count: int) -> None:
    # the form that veldwatch/storage/log.py writes
    content = {"readings": np.zeros(count, READINGS).tobytes(), "positions": b"", "contacts": b"", "events": ()}
    assert readings_in(msgspec.msgpack.encode(content)[:32]) == count


@given(st.binary(max_size=32))
def test_other_bytes_count_as_none_or_some_but_never_fail(head: bytes) -> None:
    assert readings_in(head) >= 0
    assert readings_in(b"\x84\xa8readings" + head) >= 0
