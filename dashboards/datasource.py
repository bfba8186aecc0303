"""The data source that every panel, variable and annotation asks, and the queries that they send.

The SQL stands in `sql/<dashboard>.sql`, named as in `veldwatch.storage.queries`, and in `sql/shared.sql` what several
panels ask alike. It is sent by Grafana, as the role `grafana_ro`, to the views of migration 0009; no program of ours
runs it. What stands in double braces is written out when a dashboard is rendered: `{{in_sites s}}` and
`{{in_organisations s}}`, the rows of `s` that were chosen at the top, and the terms that a panel gives.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.common import DataSourceRef

from veldwatch.storage.queries import named_queries

UID = "tsdb"
TYPE = "grafana-postgresql-datasource"
Format = Literal["time_series", "table"]

SHARED = "shared"
"""The file of what panels of several dashboards ask alike."""

_FOLDER = Path(__file__).parent / "sql"


def reference() -> DataSourceRef:
    """Name the data source by its uid, which `provisioning/datasources/` fixes."""
    return DataSourceRef(type_val=TYPE, uid=UID)


@cache
def _file(dashboard: str) -> dict[str, str]:
    return named_queries((_FOLDER / f"{dashboard}.sql").read_text(encoding="utf-8"))


def sql(dashboard: str, name: str, terms: Mapping[str, str] | None = None) -> str:
    """Read one query of `sql/<dashboard>.sql`, with its terms written out.

    Raises:
        ValueError: the query has other terms.
    """
    given = terms or {}
    text = _file(dashboard)[name]
    wanted = {match["term"] for match in _TERM.finditer(text)}
    if wanted != given.keys():
        raise ValueError(f"bad terms of {dashboard}.sql, {name!r}: {sorted(given)} (expected {sorted(wanted)})")
    return _CHOSEN.sub(_chosen, _TERM.sub(lambda match: given[match["term"]], text))


_TERM = re.compile(r"\{\{(?!in_)(?P<term>\w+)\}\}")
_CHOSEN = re.compile(r"\{\{in_(?P<what>organisations|sites)(?: (?P<of>\w+))?\}\}")


def _chosen(match: re.Match[str]) -> str:
    of = "" if match["of"] is None else f"{match['of']}."
    names = ("organisation", "site") if match["what"] == "sites" else ("organisation",)
    return " AND ".join(f"{of}{name} = ANY (ARRAY[${{{name}:sqlstring}}]::text[])" for name in names)


def sql_files() -> list[Path]:
    """List the files of queries, for the test that each query in them is used."""
    return sorted(_FOLDER.glob("*.sql"))


class PostgresQuery(Dataquery):
    """A query for Grafana's PostgreSQL data source, which the SDK has no class for."""

    def __init__(self, *, raw_sql: str, output: Format, ref_id: str = "A") -> None:
        self.raw_sql = raw_sql
        self.output = output
        self.ref_id = ref_id

    def to_json(self) -> dict[str, object]:
        """Give the form that the data source's own editor saves."""
        return {
            "refId": self.ref_id,
            "datasource": {"type": TYPE, "uid": UID},
            "format": self.output,
            "rawQuery": True,
            "editorMode": "code",
            "rawSql": self.raw_sql,
        }


def asked_by(dashboard: models.Dashboard, title: str) -> str:
    """Give the query of the one panel of a dashboard that has this title and one query."""
    [query] = [
        target
        for panel in dashboard.panels or []
        if isinstance(panel, models.Panel) and panel.title == title
        for target in panel.targets or []
        if isinstance(target, PostgresQuery)
    ]
    return query.raw_sql


class Target(Builder[Dataquery]):
    """Build a `PostgresQuery`, as the SDK's panels want their targets.

    Args:
        output: `time_series`: a column `time`, text columns as labels; `table`: rows as they are.
        terms: what the query's terms stand for.
        nth: which of several that a query with `OFFSET 0` asks for, from 0 on.
    """

    def __init__(
        self,
        dashboard: str,
        name: str,
        output: Format,
        ref_id: str = "A",
        *,
        terms: Mapping[str, str] | None = None,
        nth: int = 0,
    ) -> None:
        text = sql(dashboard, name, terms).replace("OFFSET 0", f"OFFSET {nth}")
        self._query = PostgresQuery(raw_sql=text, output=output, ref_id=ref_id)

    def build(self) -> PostgresQuery:
        """Give the query."""
        return self._query
