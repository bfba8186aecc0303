from simulators.registration import register
from simulators.scenario import load_scenario
from veldwatch.storage.connection import Connection


def test_the_demo_is_registered_and_again_changes_nothing(connection: Connection) -> None:
    counts: list[object] = []
    for _ in range(2):
        assert register(connection, load_scenario("demo")) == 40
        connection.commit()
        counts.append(
            connection.execute(
                "SELECT (SELECT count(*) FROM organisation), (SELECT count(*) FROM site),"
                " (SELECT count(*) FROM device), (SELECT count(*) FROM deployment),"
                " (SELECT count(*) FROM profile_metric),"
                " (SELECT count(*) FROM device WHERE status = 'active')"
            ).fetchone()
        )
    assert counts == [(2, 13, 40, 8, 14, 40)] * 2


def test_an_animal_is_on_its_collar_and_a_district_in_its_town(connection: Connection) -> None:
    register(connection, load_scenario("demo"))
    animal = connection.execute(
        "SELECT s.name, s.species FROM deployment p JOIN subject s ON s.id = p.subject_id"
        " JOIN device d ON d.id = p.device_id WHERE d.external_id = 'collar-05'"
    ).fetchone()
    assert animal == ("Rhino cow Luse", "Diceros bicornis")
    district = connection.execute(
        "SELECT p.slug, s.geometry ->> 'type' FROM site s JOIN site p ON p.id = s.parent_id"
        " WHERE s.slug = 'mwamba-north'"
    ).fetchone()
    assert district == ("town", "Polygon")
