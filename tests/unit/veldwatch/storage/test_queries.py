"""How a file of queries is taken apart."""

import pytest

from veldwatch.storage.queries import aggregates, load_queries, named_queries

TEXT = """-- first: what it is for
SELECT 1;

-- second: another
-- note: a comment that looks like a heading, below one, belongs to the query
SELECT '
-- not_a_heading: inside text',
       2;
"""


def test_each_query_goes_by_its_name() -> None:
    assert named_queries(TEXT) == {
        "first": "SELECT 1",
        "second": "-- note: a comment that looks like a heading, below one, belongs to the query\n"
        "SELECT '\n-- not_a_heading: inside text',\n       2",
    }


def test_two_queries_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="'first' is there twice"):
        named_queries(TEXT + "\n" + TEXT)


@pytest.mark.parametrize("aggregate", aggregates())
def test_each_file_begins_with_a_query(aggregate: str) -> None:
    assert all(load_queries(aggregate).values())
