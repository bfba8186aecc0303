"""GET /v1/mailbox: the messages that the demo's mail server took. For operators of all organisations."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.access import UnscopedOperator
from api.mailbox import read_mailbox
from api.models.operation import Mail
from api.pages import Page
from api.parameters import Strict
from api.parts import Shared
from veldwatch.errors import NotFound

router = APIRouter(prefix="/v1/mailbox", tags=["demo"])


class MailQuery(Strict):
    """How many messages."""

    limit: int = Field(50, ge=1, le=500)


@router.get("")
def read_mails(parts: Shared, _bearer: UnscopedOperator, ask: Annotated[MailQuery, Query()]) -> Page[Mail]:
    """List messages, newest first."""
    path = parts.settings.mailbox_path
    if path is None:
        raise NotFound("there is no mailbox (set VELDWATCH_MAILBOX_PATH; `veldwatch demo` does)")
    return Page[Mail](items=read_mailbox(path, ask.limit), next=None)
