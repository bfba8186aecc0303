"""The shares of the rules' subjects, as the database and the programs see them."""

from veldwatch.model.places import Place, place_of, places
from veldwatch.storage.connection import Connection


def test_sql_and_python_agree_where_a_subject_belongs(connection: Connection) -> None:
    subjects = [f"{kind}:{number}" for kind in ("series", "device", "site") for number in range(300)]
    for division in (1, 2, 3, 7, 64):
        query = b"SELECT rule_place(s, %s) FROM unnest(%s::text[]) AS s"
        found = [row[0] for row in connection.execute(query, (division, subjects))]
        assert found == [place_of(subject, division) for subject in subjects]
        assert set(found) == {place.number for place in places(division)}
        assert all(Place(number, division).holds(subject) for number, subject in zip(found, subjects, strict=True))
