"""/v1/silences: what fires and is not told for a while.

A token of one organisation makes, changes and sees silences of that organisation, and sees those that are for all.
"""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.access import Operator, Viewer
from api.models.silences import Muted, NewSilence, Silence, SilenceEnd, SilenceMatcher, SilenceStory
from api.pages import LongId, Moment, Page, build_page, decode_cursor
from api.parameters import DatabaseLongId, Paging
from api.parts import Shared
from veldwatch.model import silence as model
from veldwatch.storage import silences
from veldwatch.storage.tokens import Bearer

router = APIRouter(prefix="/v1/silences", tags=["alerts"])

_SHOWN = 100


class SilenceQuery(Paging):
    """Which silences."""

    expired: bool = Field(False, description="those that are over too")


@router.get("")
def read_silences(parts: Shared, bearer: Viewer, ask: Annotated[SilenceQuery, Query()]) -> Page[Silence]:
    """List silences, those that end last first."""
    after = None if ask.cursor is None else decode_cursor(ask.cursor, tuple[Moment, LongId])
    with parts.pool.lend() as connection:
        rows = silences.list_silences(
            connection, bearer.scope, _now(), expired=ask.expired, after=after, limit=ask.limit + 1
        )
    return build_page(Silence, rows, ask.limit, lambda row: (row["ends_at"], row["id"]))


@router.post("", status_code=201)
def post_silence(parts: Shared, bearer: Operator, body: NewSilence) -> SilenceStory:
    """Mute what matches, in the token's name; what matches everything and what lasts over 30 days has to say so."""
    now = _now()
    new = model.NewSilence(
        matcher=_matcher(body.matcher, bearer),
        reason=body.reason,
        starts_at=body.starts_at or now,
        ends_at=body.ends_at,
        everything=body.matcher.everything,
        long=body.long,
    )
    with parts.pool.lend() as connection:
        number = silences.make_silence(connection, new, author=bearer.name, scope=bearer.scope, now=now)
        return SilenceStory.model_validate(silences.get_silence(connection, bearer.scope, number, now))


@router.post("/preview")
def preview_silence(parts: Shared, bearer: Operator, body: SilenceMatcher) -> Muted:
    """Say which alerts that fire now would be muted; nothing is changed."""
    with parts.pool.lend() as connection:
        muted = silences.preview_silence(
            connection,
            _matcher(body, bearer),
            everything=body.everything,
            scope=bearer.scope,
            now=_now(),
            limit=_SHOWN,
        )
    return Muted.model_validate(muted, from_attributes=True)


@router.get("/{silence_id}")
def read_silence(parts: Shared, bearer: Viewer, silence_id: DatabaseLongId) -> SilenceStory:
    """Give one silence with what was done with it."""
    with parts.pool.lend() as connection:
        return SilenceStory.model_validate(silences.get_silence(connection, bearer.scope, silence_id, _now()))


@router.get("/{silence_id}/alerts")
def read_muted(parts: Shared, bearer: Viewer, silence_id: DatabaseLongId) -> Muted:
    """Give the alerts that a silence mutes or muted, newest first."""
    with parts.pool.lend() as connection:
        muted = silences.muted_alerts(connection, bearer.scope, silence_id, _now(), _SHOWN)
    return Muted.model_validate(muted, from_attributes=True)


@router.patch("/{silence_id}")
def patch_silence(parts: Shared, bearer: Operator, silence_id: DatabaseLongId, body: SilenceEnd) -> SilenceStory:
    """Let a silence end later, earlier or now; what it kept back and still holds is told when it ends."""
    now = _now()
    with parts.pool.lend() as connection:
        silences.end_silence(
            connection, silence_id, body.ends_at, author=bearer.name, scope=bearer.scope, now=now, long=body.long
        )
        return SilenceStory.model_validate(silences.get_silence(connection, bearer.scope, silence_id, now))


def _matcher(body: SilenceMatcher, bearer: Bearer) -> model.Matcher:
    return model.Matcher(
        organisation=body.organisation or bearer.organisation,
        rule=body.rule,
        site=body.site,
        device=body.device,
        tag=body.tag,
        profile=body.profile,
        severities=tuple(body.severities),
        labels=body.labels,
    )


def _now() -> datetime:
    return datetime.now(UTC)
