"""Rows as a CSV table, for spreadsheets and scripts."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import TextIO

from fastapi import Response

from veldwatch.storage.pool import Row

CSV_ANSWER = {"content": {"text/csv": {"schema": {"type": "string"}}}}
"""For OpenAPI."""


def csv_response(title: str, names: Sequence[str], rows: Sequence[Row], cursor: str | None) -> Response:
    """Answer with a table, its header first; the next page's cursor is in a header of the answer."""
    text = io.StringIO()
    write_csv(text, names, rows)
    headers = {"Content-Disposition": f'attachment; filename="{title}.csv"'}
    if cursor is not None:
        headers["Veldwatch-Next"] = cursor
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def write_csv(text: TextIO, names: Sequence[str], rows: Sequence[Row]) -> None:
    """Write a table (RFC 4180); times in UTC."""
    writer = csv.DictWriter(text, names, extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _cell(row[name]) for name in names} for row in rows)


def _cell(value: object) -> object:
    """Keep a spreadsheet from running text that came from outside as a formula.

    Source: OWASP, "CSV Injection".
    """
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
