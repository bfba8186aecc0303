"""GET and PUT /v1/rules: what alerts come from.

A token of one organisation sees the rules that may concern it and changes only those that select its organisation.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query

from api.access import Operator, Viewer
from api.models.rules import EXAMPLE, Rule
from api.pages import Page, Slug, decode_cursor, encode_cursor
from api.parameters import Paging, check_storable
from api.parts import Shared
from veldwatch.errors import NotFound, NotPermitted, RuleInvalid
from veldwatch.model.identifiers import OrganisationId
from veldwatch.storage.connection import Connection
from veldwatch.storage.rules import StoredRule, get_rule, list_rules, save_rule, set_enabled
from veldwatch.storage.tokens import Bearer
from veldwatch.wire.rule_document import parse_rule

router = APIRouter(prefix="/v1/rules", tags=["rules"])


@router.get("")
def read_rules(parts: Shared, bearer: Viewer, ask: Annotated[Paging, Query()]) -> Page[Rule]:
    """List rules by slug, disabled ones too."""
    after = "" if ask.cursor is None else decode_cursor(ask.cursor, Slug)
    organisation_id = None if bearer.scope is None else OrganisationId(bearer.scope)
    with parts.pool.lend() as connection:
        found = [rule for rule in list_rules(connection, organisation_id) if rule.slug > after]
    shown = found[: ask.limit]
    cursor = encode_cursor(shown[-1].slug) if len(found) > ask.limit else None
    return Page[Rule](items=[_shown(rule) for rule in shown], next=cursor)


@router.get("/{slug}")
def read_rule(parts: Shared, bearer: Viewer, slug: str) -> Rule:
    """Give one rule."""
    with parts.pool.lend() as connection:
        return _shown(visible_rule(connection, bearer, slug))


@router.put("/{slug}")
def put_rule(
    parts: Shared, bearer: Operator, slug: str, definition: Annotated[dict[str, Any], Body(examples=[EXAMPLE])]
) -> Rule:
    """Make a rule, or a new version of it, and let it be the active one; the same definition changes nothing."""
    check_storable(definition)
    if definition.setdefault("id", slug) != slug:
        raise RuleInvalid(f"bad id: {definition['id']!r} (expected {slug!r}, as in the address, or none)")
    rule = parse_rule(definition)
    if bearer.organisation is not None and rule.select.organisation != bearer.organisation:
        raise NotPermitted(f"the rule must select organisation {bearer.organisation!r}, as your token is for it alone")
    with parts.pool.lend() as connection:
        save_rule(connection, rule, bearer.name, scope=bearer.scope)
        return _shown(get_rule(connection, slug))


@router.post("/{slug}/enable")
def enable_rule(parts: Shared, bearer: Operator, slug: str) -> Rule:
    """Switch a rule on; what it missed is folded."""
    return _switch(parts, bearer, slug, enabled=True)


@router.post("/{slug}/disable")
def disable_rule(parts: Shared, bearer: Operator, slug: str) -> Rule:
    """Switch a rule off; its alerts end."""
    return _switch(parts, bearer, slug, enabled=False)


def _switch(parts: Shared, bearer: Bearer, slug: str, *, enabled: bool) -> Rule:
    with parts.pool.lend() as connection:
        stored = visible_rule(connection, bearer, slug)
        if bearer.scope is not None and stored.organisation_id is None:
            raise NotPermitted(f"rule {slug!r} is for every organisation (expected a token for all of them)")
        set_enabled(connection, slug, enabled=enabled)
        return _shown(get_rule(connection, slug))


def visible_rule(connection: Connection, bearer: Bearer, slug: str) -> StoredRule:
    """Find a rule that the bearer may see.

    Raises:
        NotFound: there is none of that slug, or it concerns other organisations only.
    """
    unknown = NotFound(f"no rule {slug!r} (list them with GET /v1/rules)")
    if "\x00" in slug:
        raise unknown
    stored = get_rule(connection, slug)
    if bearer.scope is not None and stored.organisation_id not in (None, bearer.scope):
        raise unknown
    return stored


def _shown(stored: StoredRule) -> Rule:
    return Rule(
        slug=stored.slug,
        title=stored.definition.get("title", stored.slug),
        severity=stored.definition["severity"],
        enabled=stored.enabled,
        version=stored.version,
        definition=stored.definition,
        created_at=stored.created_at,
        created_by=stored.created_by,
    )
