"""Rules and their versions: each definition that was ever active is kept, and one per rule is active.

Contract: `save_rule` with a definition that is stored already changes nothing but which version is active. The engine
reads the active versions of enabled rules and notices changes within its refresh interval.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from veldwatch.errors import Conflict, NotFound, NotPermitted
from veldwatch.model.identifiers import OrganisationId, RuleVersionId
from veldwatch.model.places import Place
from veldwatch.model.rule import Rule
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries
from veldwatch.wire.rule_document import parse_rule, rule_to_document, version_id

_QUERIES = load_queries("rules")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRule:
    """A rule with its active version.

    Attributes:
        organisation_id: None: it may match devices of every organisation.
        definition: the canonical document, as it was stored.
        activated_at: None: the engine has not folded its history yet.
    """

    rule_id: int
    slug: str
    organisation_id: OrganisationId | None
    enabled: bool
    version_id: RuleVersionId
    version: int
    definition: dict[str, Any]
    created_at: datetime
    created_by: str
    activated_at: datetime | None

    @property
    def rule(self) -> Rule:
        """Read the definition."""
        return parse_rule(self.definition)


def save_rule(connection: Connection, rule: Rule, author: str, *, scope: int | None = None) -> int:
    """Add a rule, or a version of it, and make that the active one, in a transaction of its own or the caller's.

    Args:
        scope: the one organisation whose rules the author may change; None: all, and those of every organisation.

    Returns:
        The number of the version: an old one when the definition was stored already.

    Raises:
        NotFound: the organisation that it selects is not registered.
        Conflict: a rule of that id stands, and is another organisation's than the author may change.
        NotPermitted: a rule of that id stands, and is for every organisation.
    """
    version = version_id(rule)
    with translated_errors(), connection.transaction():
        connection.execute(_QUERIES["lock_rules"])
        if scope is not None:
            # Under the lock: two organisations that choose one id at once come one after the other.
            _check_changeable(connection, rule.id, scope)
        values = {"slug": rule.id, "organisation_id": _organisation(connection, rule)}
        rule_id = _scalar(connection, "ensure_rule", values)
        connection.execute(_QUERIES["retire_versions"], {"rule_id": rule_id, "id": version})
        definition = Jsonb(rule_to_document(rule))
        return _scalar(
            connection,
            "ensure_version",
            {"id": version, "rule_id": rule_id, "definition": definition, "author": author},
        )


def list_rules(connection: Connection, organisation_id: OrganisationId | None = None) -> list[StoredRule]:
    """List rules by slug, disabled ones too.

    Args:
        organisation_id: those that may concern this organisation; None: all.
    """
    return _stored(connection, slug=None, organisation_id=organisation_id)


def get_rule(connection: Connection, slug: str) -> StoredRule:
    """Find a rule.

    Raises:
        NotFound: there is none of that slug.
    """
    found = _stored(connection, slug=slug, organisation_id=None)
    if not found:
        raise NotFound(f"no rule {slug!r} (`veldwatch rules list` shows all)")
    return found[0]


def set_enabled(connection: Connection, slug: str, *, enabled: bool) -> None:
    """Switch a rule on or off; switched off, its alerts end and it makes no new ones.

    Raises:
        NotFound: there is none of that slug.
    """
    with translated_errors(), connection.transaction():
        if connection.execute(_QUERIES["set_enabled"], {"slug": slug, "enabled": enabled}).rowcount == 0:
            raise NotFound(f"no rule {slug!r} (`veldwatch rules list` shows all)")


def set_activated(connection: Connection, version: RuleVersionId, place: Place, now: datetime) -> None:
    """Note, in the transaction of its folds, that a share of the history before a version was folded."""
    values = {"id": version, "place": place.number, "division": place.division, "now": now}
    with translated_errors():
        connection.execute(_QUERIES["set_activated"], values)


def activated_by(connection: Connection, place: Place) -> set[RuleVersionId]:
    """List the active versions whose history a place's worker has folded, whatever the others have."""
    with translated_errors():
        rows = connection.execute(_QUERIES["activated_by"], {"place": place.number}).fetchall()
    return {RuleVersionId(row[0]) for row in rows}


def _organisation(connection: Connection, rule: Rule) -> int | None:
    slug = rule.select.organisation
    if slug is None:
        return None
    row = connection.execute(_QUERIES["find_organisation"], {"slug": slug}).fetchone()
    if row is None:
        raise NotFound(f"no organisation {slug!r}, which rule {rule.id!r} selects (register it first)")
    return row[0]


def _check_changeable(connection: Connection, slug: str, scope: int) -> None:
    row = connection.execute(_QUERIES["whose"], {"slug": slug}).fetchone()
    if row is None or row[0] == scope:
        return
    if row[0] is None:
        raise NotPermitted(f"rule {slug!r} is for every organisation (expected a token for all of them)")
    raise Conflict(f"the id {slug!r} is taken (choose another)")


def _scalar(connection: Connection, query: str, values: Mapping[str, object]) -> int:
    row = connection.execute(_QUERIES[query], values).fetchone()
    assert row is not None  # noqa: S101  # INSERT ... ON CONFLICT DO UPDATE gives a row always
    return row[0]


def _stored(connection: Connection, *, slug: str | None, organisation_id: OrganisationId | None) -> list[StoredRule]:
    with translated_errors():
        rows = connection.execute(_QUERIES["list_rules"], {"slug": slug, "organisation_id": organisation_id}).fetchall()
    return [StoredRule(**dict(zip(StoredRule.__slots__, row, strict=True))) for row in rows]
