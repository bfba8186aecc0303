"""Tenants are provisioned into a Grafana and a database: again, half, renamed, gone; nobody else's is touched.

Against a server that speaks Grafana's API, and, where VELDWATCH_TEST_GRAFANA_URL is given, against a real one: with
VELDWATCH_TEST_GRAFANA_USER (`name:password` of a server's administrator, else admin:admin), and a database it reaches.
"""

import os
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner

from dashboards import links
from dashboards.catalogue import CATALOGUE, FLEET, FOLDERS, OPERATIONS, Audience
from dashboards.commands import app
from dashboards.grafana import Grafana
from tests.conftest import NewDatabase
from tests.integration.dashboards.fake_grafana import FakeGrafana, Organisation, running
from veldwatch.errors import ConfigurationInvalid, Conflict, NotFound, ProvisioningFailed
from veldwatch.storage import register, tenants
from veldwatch.storage.connection import Connection, connect

KINDS = ["fake", *(["real"] if os.environ.get("VELDWATCH_TEST_GRAFANA_URL") else [])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A Grafana and a database, and how to run the command between them."""

    url: str
    user: str
    dsn: str

    def provision(self, *more: str, user: str = "") -> str:
        """Run the command, and give what it said on either stream."""
        result = CliRunner().invoke(
            app,
            ["provision", "--url", self.url, "--wait-seconds", "5", *more],
            env={"VELDWATCH_DSN": self.dsn, "GRAFANA_USER": user or self.user},
            catch_exceptions=False,
        )
        assert result.exit_code == 0
        return result.output

    def api(self, organisation: int | None = None) -> Any:  # noqa: ANN401  # what JSON says
        return Grafana(self.url, user=self.user, organisation=organisation).client

    def find(self, name: str) -> int:
        """Give Grafana's id of an organisation."""
        return next(one["id"] for one in self.api().GET("/orgs") if one["name"] == name)


@pytest.fixture(scope="module")
def shared_dsn(new_database: NewDatabase) -> Generator[str]:
    """Give one database for all tests of this module; each leaves it without organisations and roles."""
    with new_database() as dsn:
        yield dsn


@pytest.fixture
def bare_dsn(shared_dsn: str) -> Generator[str]:
    yield shared_dsn
    with connect(shared_dsn, autocommit=True) as connection:
        connection.execute("DELETE FROM organisation")
        for role in tenants.find_left_behind(connection):
            tenants.drop_role(connection, role)


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, bare_dsn: str) -> Generator[Place]:
    """Give a Grafana without tenants, and a database with two organisations whose slugs nobody else has."""
    with connect(bare_dsn) as connection:
        for name in ("one", "two"):
            register.ensure_organisation(connection, f"{name}-{uuid4().hex[:8]}")
    if request.param == "fake":
        with running() as fake:
            yield Place(url=fake.address, user="admin:pa:ss", dsn=bare_dsn)
        return
    user = os.environ.get("VELDWATCH_TEST_GRAFANA_USER", "admin:admin")
    real = Place(url=os.environ["VELDWATCH_TEST_GRAFANA_URL"], user=user, dsn=bare_dsn)
    yield real
    with connect(bare_dsn) as connection:
        connection.execute("DELETE FROM organisation")
    real.provision("--prune")


@pytest.fixture
def database(place: Place) -> Generator[Connection]:
    with connect(place.dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def fake(bare_dsn: str) -> Generator[tuple[FakeGrafana, Place]]:
    with connect(bare_dsn) as connection:
        register.ensure_organisation(connection, "one")
        connection.execute("UPDATE organisation SET name = 'One Water'")
    with running() as server:
        yield server, Place(url=server.address, user="admin:pa:ss", dsn=bare_dsn)


def _slugs(database: Connection) -> list[str]:
    return [slug for (slug,) in database.execute("SELECT slug FROM organisation ORDER BY slug").fetchall()]


def _roles(database: Connection) -> set[str]:
    rows = database.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'grafana\\_t%\\_%'").fetchall()
    here = tenants.place_of(database)
    return {role for (role,) in rows if tenants.is_role_of(role, here)}


# What holds for the stand-in and for a real Grafana.


def test_each_tenant_gets_an_organisation_a_role_a_data_source_and_its_dashboards(
    place: Place, database: Connection
) -> None:
    output = place.provision("--all")
    for tenant in tenants.list_tenants(database):
        assert tenant.is_ready
        inside = place.api(place.find(tenant.slug))
        source = inside.GET("/datasources/uid/tsdb")
        assert source["user"] == tenant.role
        assert source["secureJsonFields"]["password"]
        assert inside.GET("/datasources/uid/tsdb/health")["status"] == "OK"
        wanted = {entry.build().build().uid for entry in CATALOGUE if entry.is_for(Audience.TENANT)}
        assert {hit["uid"] for hit in inside.GET("/search", params={"type": "dash-db"})} == wanted
        assert inside.GET("/org/preferences")["homeDashboardUID"] == links.OVERVIEW
        assert f"{tenant.slug}: data source tsdb: the database answers" in output
    assert len(_roles(database)) == 2


@pytest.mark.several_backends("WebAssembly cannot change the privileges of its only database")
def test_the_second_run_finds_everything_as_it_should_be(place: Place, database: Connection) -> None:
    place.provision("--all")
    verifiers = _verifiers(database)
    output = place.provision("--all")
    count = sum(entry.is_for(Audience.TENANT) for entry in CATALOGUE)
    assert output.splitlines() == [
        f"{slug}: {line}"
        for slug in _slugs(database)
        for line in (
            "data source tsdb: unchanged",
            f"dashboards: {count} unchanged",
            "data source tsdb: the database answers",
        )
    ]
    assert _verifiers(database) == verifiers


def test_rotating_gives_another_password_that_works(place: Place, database: Connection) -> None:
    slug = _slugs(database)[0]
    place.provision("--organisation", slug)
    before = _verifiers(database)
    output = place.provision("--organisation", slug, "--rotate")
    assert "has another password" in output
    assert "the database answers" in output
    assert _verifiers(database).values() != before.values()


def test_only_the_tenants_that_are_named_are_provisioned(place: Place, database: Connection) -> None:
    first, second = _slugs(database)
    place.provision("--organisation", first)
    assert second not in {one["name"] for one in place.api().GET("/orgs")}
    assert len(_roles(database)) == 1


def test_an_organisation_that_was_renamed_is_the_same_one_in_grafana(place: Place, database: Connection) -> None:
    slug = _slugs(database)[0]
    place.provision("--organisation", slug)
    before = place.find(slug)
    database.execute("UPDATE organisation SET name = 'Ménage & Fils/Eau' WHERE slug = %s", (slug,))
    assert "renamed" in place.provision("--organisation", slug)
    assert place.find(f"Ménage & Fils/Eau ({slug})") == before


def test_what_a_tenant_changed_in_our_dashboards_is_brought_back_and_its_own_is_kept(
    place: Place, database: Connection
) -> None:
    slug = _slugs(database)[0]
    place.provision("--organisation", slug)
    inside = place.api(place.find(slug))
    ours = inside.GET(f"/dashboards/uid/{links.OVERVIEW}")["dashboard"]
    changed = {**ours, "title": "Mine now"}
    inside.POST("/dashboards/db", json={"dashboard": changed, "folderUid": FLEET.uid, "overwrite": True})
    copy = {**ours, "id": None, "uid": "a-copy", "title": "A copy of ours"}
    inside.POST("/dashboards/db", json={"dashboard": copy, "folderUid": FLEET.uid})
    assert f"dashboard {links.OVERVIEW}: updated" in place.provision("--organisation", slug)
    assert inside.GET(f"/dashboards/uid/{links.OVERVIEW}")["dashboard"]["title"] == ours["title"]
    assert inside.GET("/dashboards/uid/a-copy")["dashboard"]["title"] == "A copy of ours"


def test_a_dashboard_of_ours_that_is_not_for_tenants_any_more_is_removed(place: Place, database: Connection) -> None:
    slug = _slugs(database)[0]
    place.provision("--organisation", slug)
    inside = place.api(place.find(slug))
    gone = {"uid": "iot-gone", "title": "Was ours", "tags": ["iot", "veldwatch"], "schemaVersion": 42, "panels": []}
    inside.POST("/dashboards/db", json={"dashboard": gone, "folderUid": FLEET.uid})
    assert f"{slug}: dashboard iot-gone: removed" in place.provision("--organisation", slug)
    assert "iot-gone" not in {hit["uid"] for hit in inside.GET("/search", params={"type": "dash-db"})}


def test_a_tenant_whose_organisation_is_gone_is_named_and_removed_when_that_is_asked_for(
    place: Place, database: Connection
) -> None:
    place.provision("--all")
    kept, gone = _slugs(database)
    database.execute("DELETE FROM organisation WHERE slug = %s", (gone,))
    output = place.provision("--organisation", kept)
    assert f"{gone}: of no organisation any more (--prune removes it)" in output
    assert len(_roles(database)) == 2
    assert f"organisation {gone!r}" in place.provision("--prune")
    names = {one["name"] for one in place.api().GET("/orgs")}
    assert gone not in names
    assert kept in names
    assert len(_roles(database)) == 1


def test_an_organisation_of_the_same_name_that_is_somebody_s_is_left_alone(place: Place, database: Connection) -> None:
    first, second = _slugs(database)
    created = place.api().POST("/orgs", json={"name": first})
    board: dict[str, Any] = {"uid": "theirs", "title": "Theirs", "schemaVersion": 42, "panels": []}
    place.api(created["orgId"]).POST("/dashboards/db", json={"dashboard": board})
    with pytest.raises(ProvisioningFailed, match="failed, of 2 tenants"):
        place.provision("--all")
    try:
        assert place.api(created["orgId"]).GET("/datasources") == []
        assert place.api(place.find(second)).GET("/datasources/uid/tsdb/health")["status"] == "OK"
    finally:
        place.api().DELETE(f"/orgs/{created['orgId']}")


def test_a_viewer_of_a_tenant_reads_through_grafana_s_own_log_in_what_is_the_tenant_s(
    place: Place, database: Connection
) -> None:
    """The role's password is known to Grafana alone, so this asks by another way: with the role, after a rotation."""
    first, second = _slugs(database)
    place.provision("--all")
    tenant = next(one for one in tenants.list_tenants(database) if one.slug == first)
    password = tenants.allow_tenant(database, tenant)
    with psycopg.connect(make_conninfo(place.dsn, user=tenant.role, password=password)) as reader:
        assert reader.execute("SELECT slug FROM organisation").fetchall() == [(first,)]
        assert (second,) not in reader.execute("SELECT organisation FROM site").fetchall()
    # Grafana was not told: the next run gives yet another one
    assert not next(one for one in tenants.list_tenants(database) if one.slug == first).is_ready
    assert "the database answers" in place.provision("--organisation", first)


# What a real one cannot be brought to do.


def test_a_run_that_broke_off_anywhere_is_taken_up_by_the_next(fake: tuple[FakeGrafana, Place]) -> None:
    server, place = fake
    with connect(place.dsn) as connection:
        [tenant] = tenants.list_tenants(connection)
    for path in (
        "/api/orgs", "/api/orgs/2/address", "/api/user/orgs", "/api/datasources", "/api/folders", "/api/dashboards/db",
        "/api/org/preferences", "/api/datasources/uid/tsdb/health",
    ):  # fmt: skip  # in the order in which they are asked
        server.fail_once = path
        with pytest.raises(ProvisioningFailed):
            place.provision("--all")
        assert not server.fail_once, path
    assert "one: data source tsdb: the database answers" in place.provision("--all")
    assert len(server.organisations) == 2
    assert server.organisations[2].sources["tsdb"]["user"] == tenant.role


def test_an_administrator_joins_what_another_one_made(fake: tuple[FakeGrafana, Place]) -> None:
    server, place = fake
    place.provision("--all")
    assert "other: made a member of 'One Water (one)'" in place.provision("--all", user="other:word")
    assert server.organisations[2].members == {"admin": "Admin", "other": "Admin"}


def test_who_administers_one_organisation_is_not_handed_another_s_role(fake: tuple[FakeGrafana, Place]) -> None:
    server, place = fake
    with connect(place.dsn) as connection:
        [tenant] = tenants.list_tenants(connection)
    forged = {"address1": "Veldwatch: a tenant's organisation, kept by `veldwatch dashboards provision`",
              "address2": f"{tenant.role} 00000000-0000-0000-0000-000000000000"}  # fmt: skip  # as ours looks
    server.organisations[7] = Organisation(id=7, name="Mallory", members={"admin": "Admin"}, address=forged)
    place.provision("--all")
    assert server.organisations[7].sources == {}
    assert server.organisations[8].sources["tsdb"]["user"] == tenant.role


def test_an_empty_organisation_of_the_tenant_s_name_with_somebody_in_it_is_not_taken(
    fake: tuple[FakeGrafana, Place],
) -> None:
    server, place = fake
    waiting = Organisation(id=7, name="One Water (one)", members={"admin": "Admin", "mallory": "Admin"})
    server.organisations[7] = waiting
    with pytest.raises(ProvisioningFailed):
        place.provision("--all")
    assert (waiting.sources, waiting.address) == ({}, {})


def test_a_restored_database_takes_its_tenants_organisations_over_when_it_is_told_to(
    fake: tuple[FakeGrafana, Place],
) -> None:
    server, place = fake
    place.provision("--all")
    own = server.organisations[2]
    role, _, mark = own.address["address2"].partition(" ")
    # as it was marked by the database that was dumped
    own.address["address2"] = f"grafana_t9_00000000 {mark}"
    own.sources["tsdb"]["user"] = "grafana_t9_00000000"
    with pytest.raises(ProvisioningFailed):
        place.provision("--all")
    assert own.sources["tsdb"]["user"] == "grafana_t9_00000000"
    assert "taken over from grafana_t9_00000000" in place.provision("--all", "--take-over", "--rotate")
    assert (own.sources["tsdb"]["user"], own.address["address2"]) == (role, f"{role} {mark}")
    assert len(server.organisations) == 2


def test_a_folder_without_our_dashboards_goes_unless_it_holds_somebody_else_s(
    fake: tuple[FakeGrafana, Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, place = fake
    place.provision("--all")
    own = server.organisations[2]
    own.dashboards["theirs"] = {"dashboard": {"uid": "theirs", "title": "x"}, "folderUid": OPERATIONS.uid}
    entries = [entry for entry in CATALOGUE if entry.folder is FLEET]
    monkeypatch.setattr("dashboards.publishing.CATALOGUE", entries)
    assert f"folder {OPERATIONS.uid}: kept, it holds 1 of somebody else's" in place.provision("--all")
    del own.dashboards["theirs"]
    assert f"folder {OPERATIONS.uid}: removed" in place.provision("--all")
    assert set(own.folders) == {FLEET.uid}
    assert all(folder.uid.startswith("iot-") for folder in FOLDERS)


def test_a_home_that_somebody_chose_stays(fake: tuple[FakeGrafana, Place]) -> None:
    server, place = fake
    place.provision("--all")
    server.organisations[2].preferences["homeDashboardUID"] = links.WATER
    place.provision("--all")
    assert server.organisations[2].preferences["homeDashboardUID"] == links.WATER


def test_the_operator_s_own_organisation_and_strangers_are_never_written(fake: tuple[FakeGrafana, Place]) -> None:
    server, place = fake
    server.organisations[5] = Organisation(id=5, name="Somebody", members={"admin": "Admin"})
    place.provision("--all", "--prune")
    for organisation in (server.main, server.organisations[5]):
        assert (organisation.sources, organisation.dashboards, organisation.folders) == ({}, {}, {})
        assert not organisation.address


def test_roles_of_a_database_that_is_gone_are_removed_and_those_of_another_one_are_not(
    fake: tuple[FakeGrafana, Place],
) -> None:
    _, place = fake
    with closing(connect(place.dsn, autocommit=True)) as connection:
        server, _, _ = tenants.place_of(connection).partition("/")
        theirs = tenants.role_name(f"{server}/template0", register.OrganisationId(3))
        gone = tenants.role_name(f"{server}/dropped-{uuid4()}", register.OrganisationId(3))
        # as roles were named before the server was part of the name
        still_theirs = tenants.role_name("template0", register.OrganisationId(3))
        for role in (theirs, still_theirs, gone):
            connection.execute(f"CREATE ROLE {role}".encode())
        try:
            assert f"role {gone}: removed" in place.provision("--prune")
            roles = [theirs, still_theirs, gone]
            left = connection.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY (%s)", (roles,)).fetchall()
            assert {role for (role,) in left} == {theirs, still_theirs}
        finally:
            connection.execute(f"DROP ROLE IF EXISTS {theirs}, {still_theirs}".encode())


def test_a_copy_of_the_same_name_on_another_server_takes_nothing_unless_told_to(
    fake: tuple[FakeGrafana, Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, place = fake
    place.provision("--all")
    before = server.organisations[2].sources
    monkeypatch.setattr(tenants, "place_of", lambda connection: f"4711/{connection.info.dbname}")  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType, reportUnknownMemberType]
    with closing(connect(place.dsn, autocommit=True)) as connection:
        [copy] = tenants.list_tenants(connection)
    try:
        with pytest.raises(ProvisioningFailed, match="failed, of 1 tenants"):
            place.provision("--all")
        assert server.organisations[2].sources == before
        assert "taken over" in place.provision("--all", "--take-over")
    finally:
        with closing(connect(place.dsn, autocommit=True)) as connection:
            tenants.drop_role(connection, copy.role)


@pytest.mark.several_backends("one session holds an advisory lock and another asks for it")
def test_two_runs_at_once_do_not_happen(fake: tuple[FakeGrafana, Place]) -> None:
    _, place = fake
    with (
        connect(place.dsn, autocommit=True) as connection,
        tenants.turn(connection),
        pytest.raises(Conflict, match="another"),
    ):
        place.provision("--all")


def test_an_unknown_tenant_is_named_before_anything_is_done(fake: tuple[FakeGrafana, Place]) -> None:
    server, place = fake
    with pytest.raises(NotFound, match="nobody"):
        place.provision("--organisation", "one", "--organisation", "nobody")
    assert set(server.organisations) == {1}


def test_a_token_is_no_way_to_tenants(fake: tuple[FakeGrafana, Place], tmp_path: Path) -> None:
    server, place = fake
    (tmp_path / "token").write_text("secret-token\n")
    with pytest.raises(ProvisioningFailed, match="permissions"):
        CliRunner().invoke(
            app,
            ["provision", "--url", server.address, "--token-file", str(tmp_path / "token"), "--all"],
            env={"VELDWATCH_DSN": place.dsn},
            catch_exceptions=False,
        )
    with pytest.raises(ConfigurationInvalid, match="--user"):
        Grafana(server.address, token="t").within(2)


def test_a_database_that_grafana_does_not_reach_is_an_error_with_grafana_s_reason(
    fake: tuple[FakeGrafana, Place],
) -> None:
    _, place = fake
    with pytest.raises(ProvisioningFailed, match=r"\['one'\] failed, of 1 tenants"):
        place.provision("--all", "--database-address", "127.0.0.1:1")
    assert "data source tsdb: updated" in place.provision("--all")


def _verifiers(database: Connection) -> dict[str, str]:
    rows = database.execute(
        "SELECT rolname, rolpassword FROM pg_authid WHERE rolname = ANY (%s)", ([*_roles(database)],)
    )
    return dict(rows.fetchall())
