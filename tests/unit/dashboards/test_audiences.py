"""Tenants get the dashboards that show them something: none that asks what the platform itself is doing."""

import re

from dashboards.catalogue import CATALOGUE, Audience
from tests.unit.dashboards.committed import queries

# Views of which a tenant's role sees no row, and what no role's view can limit (migration 0055).
_PLATFORM = re.compile(r"\bdashboard\.(batch|consumer|storage_\w+)\b|\bpg_\w+")


def test_what_a_tenant_gets_asks_nothing_of_the_platform_and_what_is_kept_from_it_does() -> None:
    asking = {query.dashboard for query in queries() if _PLATFORM.search(query.sql)}
    kept = {entry.build().build().uid for entry in CATALOGUE if not entry.is_for(Audience.TENANT)}
    assert kept == asking
    assert all(entry.is_for(Audience.OPERATOR) for entry in CATALOGUE)
