"""Readings as a long table, in CSV or Parquet: one row for each, with the columns that `veldwatch import` knows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

from veldwatch.storage.connection import Connection
from veldwatch.storage.exports import ExportedSeries, ExportFilter, exported_readings, exported_series

_arrow, _compute = cast("Any", pyarrow), cast("Any", pyarrow.compute)
_csv, _parquet = cast("Any", pyarrow.csv), cast("Any", pyarrow.parquet)
_WORDS = _arrow.dictionary(_arrow.int32(), _arrow.string())
_MOMENT = _arrow.timestamp("us", "UTC")
_KINDS = {
    "device": _WORDS,
    "metric": _WORDS,
    "unit": _WORDS,
    "observed_at": _MOMENT,
    "value": _arrow.float64(),
    "quality": _arrow.int16(),
    "received_at": _MOMENT,
}
_SCHEMA = _arrow.schema(list(_KINDS.items()))
_PLAIN_SCHEMA = _arrow.schema([(name, _arrow.string() if kind == _WORDS else kind) for name, kind in _KINDS.items()])
_GROUP_ROWS = 200_000


def write_csv(connection: Connection, which: ExportFilter, out: IO[bytes]) -> int:
    """Write readings as CSV; give how many."""
    count = 0
    options = _csv.WriteOptions(quoting_style="needed", quoting_header="none")
    with _csv.CSVWriter(out, _PLAIN_SCHEMA, write_options=options) as writer:
        for table in _tables(connection, which):
            writer.write_table(_blank(table.cast(_PLAIN_SCHEMA)))
            count += table.num_rows
    return count


def write_parquet(connection: Connection, which: ExportFilter, out: IO[bytes]) -> int:
    """Write readings as Parquet; give how many."""
    count = 0
    waiting: list[Any] = []
    with _parquet.ParquetWriter(out, _SCHEMA, compression="zstd") as writer:
        for table in _tables(connection, which):
            waiting.append(table)
            count += table.num_rows
            if sum(part.num_rows for part in waiting) >= _GROUP_ROWS:
                writer.write_table(_arrow.concat_tables(waiting).unify_dictionaries())
                waiting.clear()
        if waiting:
            writer.write_table(_arrow.concat_tables(waiting).unify_dictionaries())
    return count


def _tables(connection: Connection, which: ExportFilter) -> Iterator[Any]:
    series = {found.id: found for found in exported_series(connection, which)}
    for rows in exported_readings(connection, which, list(series)):
        yield _table(rows, series)


def _table(rows: npt.NDArray[Any], series: Mapping[int, ExportedSeries]) -> Any:  # noqa: ANN401  # Arrow's own class
    ids, place = np.unique(rows["series_id"], return_inverse=True)
    named = [series[number] for number in ids.tolist()]
    columns = {
        "device": _words(place, [found.device for found in named]),
        "metric": _words(place, [found.metric for found in named]),
        "unit": _words(place, [found.unit for found in named]),
        "observed_at": _arrow.array(rows["observed_at"].copy(), _MOMENT),
        "value": _arrow.array(rows["value"].copy()),
        "quality": _arrow.array(rows["quality"].copy()),
        "received_at": _arrow.array(rows["received_at"].copy(), _MOMENT),
    }
    return _arrow.table(columns, schema=_SCHEMA)


def _blank(table: Any) -> Any:  # noqa: ANN401  # Arrow's own class
    """Make null of units that nobody said: Arrow writes an empty text as two quotes, and null as nothing."""
    unit = table.column("unit")
    said = _compute.if_else(_compute.equal(unit, ""), _arrow.scalar(None, _arrow.string()), unit)
    return table.set_column(table.schema.get_field_index("unit"), _PLAIN_SCHEMA.field("unit"), said)


def _words(place: npt.NDArray[np.intp], words: Sequence[str]) -> Any:  # noqa: ANN401  # Arrow's own class
    different = {word: number for number, word in enumerate(dict.fromkeys(words))}
    codes = np.array([different[word] for word in words], dtype=np.int32)[place]
    return _arrow.DictionaryArray.from_arrays(_arrow.array(codes), _arrow.array(list(different), _arrow.string()))
