"""GET, POST and DELETE /v1/receivers: who is told of alerts. For operators: addresses are people's own."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.access import Operator
from api.models.operation import NewReceiver, Receiver
from api.pages import Page, Slug, decode_cursor, encode_cursor
from api.parameters import Paging
from api.parts import Shared
from veldwatch.errors import NotPermitted
from veldwatch.model.notifications import Channel
from veldwatch.storage import receivers

router = APIRouter(prefix="/v1/receivers", tags=["alerts"])


@router.get("")
def read_receivers(parts: Shared, bearer: Operator, ask: Annotated[Paging, Query()]) -> Page[Receiver]:
    """List receivers by slug, disabled ones too."""
    after = "" if ask.cursor is None else decode_cursor(ask.cursor, Slug)
    with parts.pool.lend() as connection:
        found = [each for each in receivers.list_receivers(connection, bearer.scope) if each.slug > after]
    shown = found[: ask.limit]
    cursor = encode_cursor(shown[-1].slug) if len(found) > ask.limit else None
    return Page[Receiver](items=[_shown(each) for each in shown], next=cursor)


@router.post("", status_code=201)
def post_receiver(parts: Shared, bearer: Operator, body: NewReceiver) -> Receiver:
    """Add a receiver; a token of one organisation adds receivers of that organisation."""
    organisation = body.organisation or bearer.organisation
    if bearer.organisation is not None and organisation != bearer.organisation:
        raise NotPermitted(f"your token is for organisation {bearer.organisation!r} alone")
    new = receivers.NewReceiver(
        slug=body.slug,
        channel=Channel(body.channel),
        address=body.address,
        organisation=organisation,
        minimum_severity=body.minimum_severity,
        secret=body.secret,
    )
    with parts.pool.lend() as connection:
        number = receivers.add_receiver(connection, new)
        return next(_shown(each) for each in receivers.list_receivers(connection) if each.id == number)


@router.delete("/{slug}", status_code=204)
def delete_receiver(parts: Shared, bearer: Operator, slug: str) -> None:
    """Stop telling a receiver; its history is kept."""
    with parts.pool.lend() as connection:
        receivers.disable_receiver(connection, slug.replace("\x00", " "), bearer.scope)


def _shown(receiver: receivers.Receiver) -> Receiver:
    return Receiver.model_validate(receiver, from_attributes=True)
