"""POST /v1/backtests: what a rule, stored or not, would have raised over a stretch of history.

The work is done by the rules program, which takes it up at once and writes how far it is: ask for it, then look.
Nothing of a back-test is told to anybody but whoever looks at it.
"""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from api.access import Operator, Viewer
from api.models.backtests import Backtest, NewBacktest
from api.pages import LongId, Page, build_page, decode_cursor
from api.parameters import DatabaseLongId, Paging, check_storable
from api.parts import Shared
from api.routes.rules import visible_rule
from veldwatch.errors import NotPermitted, RequestInvalid
from veldwatch.model.identifiers import OrganisationId
from veldwatch.model.rule import Rule
from veldwatch.storage import backtests
from veldwatch.storage.backtests import NEWEST, Question
from veldwatch.storage.connection import Connection
from veldwatch.storage.tokens import Bearer
from veldwatch.wire.rule_document import parse_rule

router = APIRouter(prefix="/v1/backtests", tags=["rules"])


@router.post("", status_code=202)
def post_backtest(parts: Shared, bearer: Operator, body: NewBacktest) -> Backtest:
    """Try a rule on history; one at a time for each organisation."""
    until = body.until or datetime.now(UTC)
    if until <= body.since:
        raise RequestInvalid("bad to: it is not after from")
    with parts.pool.lend() as connection:
        question = Question(
            rule=_rule(connection, bearer, body),
            since=body.since,
            until=until,
            time_zone=body.time_zone,
            organisation_id=None if bearer.scope is None else OrganisationId(bearer.scope),
        )
        number = backtests.ask(connection, question, author=bearer.name)
        return Backtest.model_validate(backtests.get(connection, number))


@router.get("")
def read_backtests(parts: Shared, bearer: Viewer, ask: Annotated[Paging, Query()]) -> Page[Backtest]:
    """List back-tests, newest first, without their results; they are kept for a week."""
    before = NEWEST if ask.cursor is None else int(decode_cursor(ask.cursor, LongId))
    with parts.pool.lend() as connection:
        rows = backtests.list_all(connection, bearer.scope, before=before, limit=ask.limit + 1)
    return build_page(Backtest, rows, ask.limit, lambda row: row["id"])


@router.get("/{backtest_id}")
def read_backtest(parts: Shared, bearer: Viewer, backtest_id: DatabaseLongId) -> Backtest:
    """Tell how far a back-test is, and what came of it."""
    with parts.pool.lend() as connection:
        return Backtest.model_validate(backtests.get(connection, backtest_id, bearer.scope))


@router.post("/{backtest_id}/cancel")
def cancel_backtest(parts: Shared, bearer: Operator, backtest_id: DatabaseLongId) -> Backtest:
    """End a back-test that is not over; its result is nobody's."""
    with parts.pool.lend() as connection:
        return Backtest.model_validate(backtests.cancel(connection, backtest_id, bearer.scope))


def _rule(connection: Connection, bearer: Bearer, body: NewBacktest) -> Rule:
    if body.definition is None:
        return visible_rule(connection, bearer, body.rule or "").rule
    check_storable(body.definition)
    rule = parse_rule(body.definition)
    if bearer.organisation is not None and rule.select.organisation not in (None, bearer.organisation):
        raise NotPermitted(
            f"the rule selects another organisation than {bearer.organisation!r}, which your token is for"
        )
    return rule
