"""GET /v1/rules/{slug}/statistics: whether a rule is worth its alerts."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.access import Viewer
from api.models.rule_statistics import RuleStatistics
from api.parameters import Instant, TimeZone
from api.parts import Shared
from api.routes.rules import visible_rule
from veldwatch.errors import RequestInvalid
from veldwatch.storage.rule_statistics import StatisticsAsked, rule_statistics

router = APIRouter(prefix="/v1/rules", tags=["rules"])

_STRETCH = timedelta(days=28)


class StatisticsQuery(BaseModel, extra="forbid"):
    """Which stretch."""

    since: Instant | None = Field(None, alias="from", description="first moment that counts; none: 28 days before `to`")
    until: Instant | None = Field(None, alias="to", description="first moment that does not; none: now")
    time_zone: TimeZone = Field("UTC", description="where night is night", examples=["Africa/Lusaka"])


@router.get("/{slug}/statistics")
def read_statistics(
    parts: Shared, bearer: Viewer, slug: str, ask: Annotated[StatisticsQuery, Query()]
) -> RuleStatistics:
    """Tell how often a rule's alerts fired, how long they lasted, and what people did with them."""
    until = ask.until or datetime.now(UTC)
    since = ask.since or until - _STRETCH
    if since >= until:
        raise RequestInvalid("bad from: not before to (expected a stretch of time)")
    asked = StatisticsAsked(rule=slug, since=since, until=until, zone=ask.time_zone, scope=bearer.scope)
    with parts.pool.lend() as connection:
        visible_rule(connection, bearer, slug)
        return RuleStatistics.model_validate(rule_statistics(connection, asked))
