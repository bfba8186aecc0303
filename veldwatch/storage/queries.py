"""Named queries, read from `sql/queries/*.sql`: one file per aggregate.

A query begins with a line `-- name: purpose` at the top or after an empty line, and runs to the next such line; so
each has a name and a purpose, and a test can PREPARE every one.
"""

import re
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "sql" / "queries"
_HEADING = re.compile(r"(?:\A|(?<=\n\n))-- (?P<name>[a-z0-9_]+): (?P<purpose>.+)$", re.MULTILINE)


@cache
def load_queries(aggregate: str) -> dict[str, bytes]:
    """Read the queries of one aggregate, name to statement.

    Statements are bytes: psycopg takes those as they are, while it (rightly) refuses text that was put together.
    """
    text = (_FOLDER / f"{aggregate}.sql").read_text(encoding="utf-8")
    return {name: statement.encode() for name, statement in named_queries(text).items()}


def named_queries(text: str) -> dict[str, str]:
    """Take the text of a file of queries apart, name to statement, without the closing semicolons."""
    headings = list(_HEADING.finditer(text))
    names = [heading["name"] for heading in headings]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"query {name!r} is there twice (expected one of each name)")
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    return {
        heading["name"]: text[heading.end() : end].strip().rstrip(";")
        for heading, end in zip(headings, ends, strict=True)
    }


def aggregates() -> list[str]:
    """List the aggregates that have a file of queries."""
    return sorted(path.stem for path in _FOLDER.glob("*.sql"))
