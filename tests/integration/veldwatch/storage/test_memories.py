"""What decoders remember: one writer is first, and the other knows."""

import pytest

from veldwatch.errors import MemoryChanged
from veldwatch.storage import memories
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.memories import MemoryChange, StoredMemory


def change(version: int, head: bytes = b"h", name: str = "n", **parts: bytes | None) -> MemoryChange:
    return MemoryChange("s", name, version, head, parts)


def save(connection: Connection, *changes: MemoryChange) -> None:
    with connection.transaction():
        memories.save(connection, changes)


def test_what_was_never_stored_is_version_0(connection: Connection) -> None:
    assert memories.load(connection, "s", "n") == StoredMemory(0, b"", {})


def test_parts_stay_until_they_are_replaced_or_gone(connection: Connection) -> None:
    save(connection, change(0, b"1", a=b"a", b=b"b"), change(0, b"other", name="m", a=b"other"))
    save(connection, change(1, b"2", b=b"B", c=b"c"))
    save(connection, change(2, b"3", a=None, unknown=None))
    assert memories.load(connection, "s", "n") == StoredMemory(3, b"3", {"b": b"B", "c": b"c"})
    assert memories.load(connection, "s", "m") == StoredMemory(1, b"other", {"a": b"other"})


@pytest.mark.parametrize("version", [0, 2])
def test_a_change_of_another_version_than_the_stored_one_changes_nothing(connection: Connection, version: int) -> None:
    save(connection, change(0, b"1"))
    with pytest.raises(MemoryChanged):
        save(connection, change(0, name="m"), change(version, b"2", a=b"a"))
    assert memories.load(connection, "s", "n") == StoredMemory(1, b"1", {})
    assert memories.load(connection, "s", "m").version == 0


def test_of_two_writers_at_once_one_is_first(connection: Connection, dsn: str) -> None:
    with connect(dsn) as other:
        with other.transaction():
            memories.save(other, [change(0, b"theirs", a=b"theirs")])
        with pytest.raises(MemoryChanged):
            save(connection, change(0, b"ours", a=b"ours"))
    assert memories.load(connection, "s", "n") == StoredMemory(1, b"theirs", {"a": b"theirs"})
