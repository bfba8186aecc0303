"""A tenant's role is named the same each time, another way in each database, and within what PostgreSQL takes."""

from veldwatch.model.identifiers import OrganisationId
from veldwatch.storage.tenants import is_role_of, role_name


def test_names_differ_by_database_and_fit() -> None:
    long = role_name("d" * 63, OrganisationId(2**31 - 1))
    assert len(long) <= 63
    assert role_name("one", OrganisationId(1)) != role_name("two", OrganisationId(1))
    assert role_name("one", OrganisationId(1)) == role_name("one", OrganisationId(1))


def test_a_role_is_known_as_its_database_s() -> None:
    role = role_name("one", OrganisationId(17))
    assert is_role_of(role, "one")
    assert not is_role_of(role, "two")
    assert not is_role_of(role + "0", "one")
    assert not is_role_of("grafana_ro", "one")
