"""Arrays in PostgreSQL's binary forms."""

import numpy as np
import pytest

from veldwatch.storage.arrays import Array, copy_bytes, copy_parts, times


@pytest.mark.parametrize("rows", [1, 8191, 8192, 8193, 20_000])
def test_a_copy_in_parts_is_the_same_copy(rows: int) -> None:
    columns: list[Array] = [times(np.arange(rows) * 1_000_000), np.arange(rows, dtype=np.int32), np.arange(rows) / 7]
    parts = list(copy_parts(columns))
    assert b"".join(parts) == copy_bytes(columns)
    # Between the header and the trailer.
    assert len(parts) == 2 + -(-rows // 8192)
