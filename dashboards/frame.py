"""What every dashboard has: a uid that never changes, one question, links, the alerts as annotation."""

from dataclasses import dataclass

from grafana_foundation_sdk.builders.dashboard import AnnotationQuery, Dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, VariableModel

from dashboards import datasource, links, variables

Variable = Builder[VariableModel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The head of a dashboard.

    Attributes:
        uid: at most 40 characters, stable: links and permissions hang on it.
        question: the one question that the dashboard answers, as its description.
        level: tag beside `iot`: overview, site, device or operations.
        since: beginning of the time range at first, as Grafana writes it.
        refresh: how often it asks again; empty: only when told.
    """

    uid: str
    title: str
    question: str
    level: str
    since: str = "now-24h"
    refresh: str = "30s"
    timezone: str = "browser"

    def build(self) -> Dashboard:
        """Begin the dashboard."""
        return (
            Dashboard(self.title)
            .uid(self.uid)
            .description(self.question)
            .tags(["iot", self.level])
            .readonly()
            .timezone(self.timezone)
            .time(self.since, "now")
            .refresh(self.refresh)
            .tooltip(DashboardCursorSync.CROSSHAIR)
            .link(links.menu())
        )

    def of_sites(self, *more: Variable) -> Dashboard:
        """Begin the dashboard of sites that are chosen at the top, `more` beside them, with their alerts shaded."""
        begun = self.build()
        for variable in (variables.organisation(), variables.site(), *more):
            begun = begun.with_variable(variable)
        return begun.annotation(alerts())


def alerts(query: str = "alerts") -> AnnotationQuery:
    """Shade the time of each alert on the dashboard's graphs."""
    target = datasource.Target("annotations", query, "table", "Anno")
    return (
        AnnotationQuery()
        .name("Alerts")
        .datasource(datasource.reference())
        .enable(True)
        .icon_color("#ff9830")
        .target(target)
    )
