"""Tenants in Grafana: an organisation of Grafana for each of ours, whose data source logs in as that tenant's role.

An organisation of Grafana is a tenant's if its address says so (Grafana keeps one for each and shows it nowhere): it
names the role, and by that tenant and database, and has the mark that the database keeps. Without the mark, who
administers one organisation could give it another's role, and be handed its password. Nothing else is ever removed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from grafana_client.client import GrafanaClientError

from dashboards import publishing
from dashboards.catalogue import Audience
from dashboards.grafana import Grafana, found
from veldwatch.errors import ProvisioningFailed
from veldwatch.storage import tenants
from veldwatch.storage.connection import Connection
from veldwatch.storage.dashboards import ReaderAddress
from veldwatch.storage.tenants import Tenant

_MARK = "Veldwatch: a tenant's organisation, kept by `veldwatch dashboards provision`"
# Source: pkg/api/org.go, SearchOrgs: 1000 to a page unless told, pages from 0.
_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """An organisation of Grafana.

    Attributes:
        role: that its address names; empty: it is no tenant's.
        mark: that stands beside the role.
    """

    id: int
    name: str
    role: str = ""
    mark: str = ""


class TenantProvisioning:
    """Provisions tenants one after another; what one of them fails at stays, and is taken up by the next run.

    Args:
        grafana: as a server administrator's user.
        address: of the database, as Grafana sees it.
        take_over: tenants' organisations of Grafana go over from the database that this one was restored from.
    """

    def __init__(
        self, grafana: Grafana, connection: Connection, address: ReaderAddress, *, take_over: bool = False
    ) -> None:
        self._grafana = grafana
        self._connection = connection
        self._address = address
        self._take_over = take_over
        self._homes = list(list_homes(grafana))

    def provision(self, tenant: Tenant, *, rotate: bool) -> Iterator[str]:
        """Bring one tenant to what it should be; one line for each thing that was done.

        Args:
            rotate: give its role another password.

        Raises:
            ProvisioningFailed: Grafana was not reached or refused.
            StorageRejected: the account may not make roles.
        """
        home, lines = self._ensure_home(tenant)
        yield from lines
        yield from self._join(home)
        grafana = self._grafana.within(home.id)
        yield from self._publish_source(grafana, tenant, rotate=rotate)
        yield from publishing.publish_dashboards(grafana, Audience.TENANT)
        yield from publishing.remove_gone(grafana, Audience.TENANT)
        yield from publishing.set_home(grafana)
        yield publishing.check_source(grafana)

    def find_gone(self, known: Sequence[Tenant]) -> list[Home]:
        """List the organisations of Grafana that are this database's tenants', and of no organisation any more."""
        roles = {tenant.role for tenant in known}
        mine = tenants.place_of(self._connection)
        return [home for home in self._homes if tenants.is_role_of(home.role, mine) and home.role not in roles]

    def remove(self, home: Home) -> str:
        """Remove an organisation of Grafana, with its dashboards, data sources and members; a line that says so."""
        with self._grafana.asking(f"organisation {home.name!r}"):
            self._grafana.api.organizations.delete_organization(home.id)
        self._homes.remove(home)
        return f"organisation {home.name!r} (Grafana's {home.id}): removed"

    def _ensure_home(self, tenant: Tenant) -> tuple[Home, list[str]]:
        name = home_name(tenant)
        mark = tenants.mark_of(self._connection, tenant)
        marked = [home for home in self._homes if home.mark == mark]
        if len(marked) > 1:
            raise ProvisioningFailed(
                f"organisations {[home.id for home in marked]} of Grafana are all marked as {tenant.slug!r}"
                " (remove all but one in Grafana)"
            )
        if not marked:
            home, line = self._create(name)
            return self._mark(home, tenant.role, mark), [line]
        home = marked[0]
        if home.role == tenant.role:
            return home, self._rename(home, name)
        if not self._take_over:
            raise ProvisioningFailed(
                f"organisation {home.name!r} of Grafana is {home.role}'s, of another database that this one is a copy"
                " of (--take-over makes it this one's; without, nothing is changed)"
            )
        return self._mark(home, tenant.role, mark), [f"organisation {home.name!r}: taken over from {home.role}"]

    def _mark(self, home: Home, role: str, mark: str) -> Home:
        with self._grafana.asking(f"organisation {home.name!r}"):
            address = {"address1": _MARK, "address2": f"{role} {mark}"}
            self._grafana.client.PUT(f"/orgs/{home.id}/address", json=address)
        marked = replace(home, role=role, mark=mark)
        self._homes = [*(other for other in self._homes if other.id != home.id), marked]
        return marked

    def _create(self, name: str) -> tuple[Home, str]:
        with self._grafana.asking(f"organisation {name!r}"):
            try:
                created = self._grafana.api.organization.create_organization(name)
            except GrafanaClientError as error:
                if error.status_code != HTTPStatus.CONFLICT:
                    raise
            else:
                return Home(id=created["orgId"], name=name), f"organisation {name!r}: created"
        return self._take_up(name), f"organisation {name!r}: taken up"

    def _take_up(self, name: str) -> Home:
        """Take the organisation that has the name already, if a run of ours that broke off made it.

        Then it is empty, and nobody is in it but us: who administers another one could have named it so, to be in the
        tenant's.
        """
        with self._grafana.asking(f"organisation {name!r}"):
            present: dict[str, Any] = self._grafana.client.GET(f"/orgs/name/{quote(name, safe='')}")
            home = Home(id=present["id"], name=name)
            members = {user["login"] for user in self._grafana.api.organizations.organization_user_list(home.id)}
        address: dict[str, str] = present.get("address") or {}
        if members - {self._grafana.login} or any(address.values()) or self._is_used(home):
            raise ProvisioningFailed(
                f"organisation {name!r} is in Grafana already and not ours (rename or remove Grafana's {home.id})"
            )
        return home

    def _is_used(self, home: Home) -> bool:
        list(self._join(home))
        grafana = self._grafana.within(home.id)
        with grafana.asking(f"organisation {home.name!r}"):
            return bool(grafana.api.datasource.list_datasources() or grafana.api.search.search_dashboards(limit=1))

    def _rename(self, home: Home, name: str) -> list[str]:
        if home.name == name:
            return []
        with self._grafana.asking(f"organisation {home.name!r}, to be named {name!r}"):
            self._grafana.api.organizations.update_organization(home.id, {"name": name})
        return [f"organisation {home.name!r}: renamed to {name!r}"]

    def _join(self, home: Home) -> Iterator[str]:
        """Be an administrator of it: a server's administrator is of the organisations that another one made, too."""
        with self._grafana.asking(f"organisation {home.name!r}, as a member"):
            roles = {own["orgId"]: own["role"] for own in self._grafana.client.GET("/user/orgs")}
            if home.id not in roles:
                user = {"loginOrEmail": self._grafana.login, "role": "Admin"}
                self._grafana.api.organizations.organization_user_add(home.id, user)
                yield f"{self._grafana.login}: made a member of {home.name!r}"

    def _publish_source(self, grafana: Grafana, tenant: Tenant, *, rotate: bool) -> Iterator[str]:
        needs_password = rotate or not tenant.is_ready or not publishing.has_source(grafana)
        password = tenants.allow_tenant(self._connection, tenant) if needs_password else None
        if password is not None:
            yield f"role {tenant.role}: has another password" if tenant.is_ready else f"role {tenant.role}: created"
        source = publishing.Source(address=self._address, role=tenant.role, password=password)
        yield publishing.publish_source(grafana, source)
        if password is not None:
            tenants.mark_told(self._connection, tenant.role)


def home_name(tenant: Tenant) -> str:
    """Name a tenant's organisation of Grafana; Grafana wants it unique, as the slug is and the name need not be."""
    return f"{tenant.name} ({tenant.slug})" if tenant.name != tenant.slug else tenant.slug


def list_homes(grafana: Grafana) -> Iterator[Home]:
    """List every organisation of Grafana, ours or not."""
    seen: set[int] = set()
    page = 0
    while True:
        with grafana.asking("organisations"):
            listed: list[dict[str, Any]] = grafana.client.GET("/orgs", params={"perpage": _PAGE, "page": page})
        fresh = [organisation for organisation in listed if organisation["id"] not in seen]
        for organisation in fresh:
            seen.add(organisation["id"])
            yield _look_at(grafana, organisation["id"], organisation["name"])
        if len(fresh) < _PAGE:
            return
        page += 1


def _look_at(grafana: Grafana, identifier: int, name: str) -> Home:
    with grafana.asking(f"organisation {name!r}"):
        details = found(lambda: grafana.client.GET(f"/orgs/{identifier}")) or {}
    address: dict[str, str] = details.get("address") or {}
    if address.get("address1") != _MARK:
        return Home(id=identifier, name=name)
    role, _, mark = address.get("address2", "").partition(" ")
    return Home(id=identifier, name=name, role=role, mark=mark)
