"""A text file in blocks of whole records."""

import csv
import gzip
import hashlib
import io
from pathlib import Path
from typing import Any, cast

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.imports import blocks
from ingest.imports.blocks import TextFile
from ingest.imports.cells import CsvCells
from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.reasons import Reason

CELLS = st.text(st.sampled_from(list('ab1,;"\n\r \u00e9\x00')), max_size=5)


@pytest.fixture(params=[16, 70, 2**22])
def small_blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", request.param)
    monkeypatch.setattr(blocks, "_HEADER_BYTES", request.param)


def read(path: Path) -> list[tuple[int, list[str]]]:
    cells = CsvCells(path)
    try:
        return [
            (line, [column[place].as_py() for column in block.columns.values()])
            for block in cells.blocks(cells.names)
            for place, line in enumerate(block.lines.tolist())
        ]
    finally:
        cells.text.close()


def refused(path: Path) -> list[tuple[int, bytes, Reason]]:
    cells = CsvCells(path)
    try:
        return [(item.line, item.text, item.reason) for block in cells.blocks(cells.names) for item in block.refused]
    finally:
        cells.text.close()


@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=12),
    ending=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    size=st.sampled_from([8, 33, 200]),
    mark=st.booleans(),
)
def test_what_csv_writes_is_read_whatever_the_block(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, str]],
    ending: str,
    quoting: int,
    size: int,
    mark: bool,
) -> None:
    if ending == "\n" and quoting == csv.QUOTE_MINIMAL:  # Python's csv writes a lone carriage return as it is then
        rows = [(x.replace("\r", ""), y.replace("\r", ""), z.replace("\r", "")) for x, y, z in rows]
    written = io.StringIO()
    writer = csv.writer(written, lineterminator=ending, quoting=quoting)  # pyright: ignore[reportArgumentType]
    writer.writerow(["x", "y", "z"])
    lines: list[int] = []
    for row in rows:
        lines.append(written.getvalue().count("\n") + 1)
        writer.writerow(row)
    path = tmp_path_factory.mktemp("csv") / "some.csv"
    path.write_bytes((b"\xef\xbb\xbf" if mark else b"") + written.getvalue().encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK_BYTES", size)
        patch.setattr(blocks, "_HEADER_BYTES", size)
        patch.setattr(blocks, "_LONGEST_LINE", 10_000)
        assert read(path) == [(line, list(row)) for line, row in zip(lines, rows, strict=True)]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_line_ends_and_blank_lines(tmp_path: Path, ending: bytes) -> None:
    path = tmp_path / "some.csv"
    path.write_bytes(ending.join([b"a,b", b"", b"1,2", b"", b"3,4"]))
    assert read(path) == [(3, ["1", "2"]), (5, ["3", "4"])]


@pytest.mark.usefixtures("small_blocks")
def test_rows_of_another_width_are_refused_by_their_line_and_nothing_else_is(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    path.write_bytes(b'a,b\n1,2\n3\n"4,5",\n6,7,8\n9,0\n')
    assert read(path) == [(2, ["1", "2"]), (4, ["4,5", ""]), (6, ["9", "0"])]
    assert refused(path) == [(3, b"3", Reason.MALFORMED_PAYLOAD), (5, b"6,7,8", Reason.MALFORMED_PAYLOAD)]


def test_a_quote_that_is_never_closed_costs_its_own_line(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    path.write_bytes(b'a,b\n1,"2\n3,4\n5,6\n')
    assert read(path) == [(3, ["3", "4"]), (4, ["5", "6"])]
    assert refused(path) == [(2, b'1,"2', Reason.MALFORMED_PAYLOAD)]


def test_a_quote_within_a_cell_is_a_character(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    path.write_bytes(b'a,b\n5" pipe,1\n"6"" pipe",2\n7,3" \n')
    assert read(path) == [(2, ['5" pipe', "1"]), (3, ['6" pipe', "2"]), (4, ["7", '3" '])]


def test_bytes_that_are_not_utf_8_cost_nothing_but_themselves(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    path.write_bytes(b"a,b\n\xb0C,1\nx,2\n")
    assert read(path) == [(2, ["\ufffdC", "1"]), (3, ["x", "2"])]


def test_repeated_names_are_numbered(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    path.write_bytes(b"a,a,b,a\n1,2,3,4\n")
    cells = CsvCells(path)
    assert cells.names == ["a", "a.1", "b", "a.2"]
    cells.text.close()


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"a,b", b"a,b\n"])
def test_a_file_without_rows_has_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.csv"
    path.write_bytes(content)
    assert read(path) == []


@pytest.mark.parametrize("ending", [".gz", ".zst", ".bz2"])
def test_compressed_files_are_read(tmp_path: Path, ending: str) -> None:
    content = b"a,b\n" + b"".join(b"%d,%d\n" % (number, number) for number in range(5000))
    path = tmp_path / f"some.csv{ending}"
    if ending == ".gz":
        path.write_bytes(gzip.compress(content[:1000]) + gzip.compress(content[1000:]))
    else:
        with cast("Any", pyarrow).CompressedOutputStream(str(path), {".zst": "zstd", ".bz2": "bz2"}[ending]) as out:
            out.write(content)
    assert len(read(path)) == 5000


def test_a_file_of_another_kind_is_refused_in_words(tmp_path: Path) -> None:
    for name, content in (("utf16.csv", "a,b\n1,2\n".encode("utf-16")), ("torn.csv.gz", gzip.compress(b"a" * 99)[:-9])):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ConfigurationInvalid, match="bad file"):
            read(tmp_path / name)
    with pytest.raises(ConfigurationInvalid, match="no such file"):
        TextFile(tmp_path / "none.csv")


def test_a_line_without_end_is_refused_before_it_fills_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(blocks, "_LONGEST_LINE", 4000)
    path = tmp_path / "some.csv"
    path.write_bytes(b"a,b\n" + b"1" * 3_000_000)
    with pytest.raises(ConfigurationInvalid, match="no line break"):
        read(path)


@pytest.mark.usefixtures("small_blocks")
def test_reading_goes_on_behind_a_position_and_notices_another_text_before_it(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    content = b"a,b\n1,2\n3,4\n5,6\n"
    path.write_bytes(content)
    position, digest = 12, hashlib.sha256(content[:12]).digest()
    cells = CsvCells(path)
    assert cells.text.go_on_behind(position, digest)
    assert [block.lines.tolist() for block in cells.blocks(["a"])] == [[4]]
    assert cells.text.digest() == hashlib.sha256(content).digest()
    cells.text.close()
    path.write_bytes(content.replace(b"1,2", b"1,3"))
    cells = CsvCells(path)
    assert not cells.text.go_on_behind(position, digest)
    cells.text.close()
