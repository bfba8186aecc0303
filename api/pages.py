"""Pages of lists: `{"items": [...], "next": cursor or null}`.

A cursor is the key of the page's last row, in a form that nobody should look into: a page begins after that key on an
index, so the thousandth costs what the first does and rows that arrive meanwhile move nothing.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from pydantic import BaseModel, Field

from veldwatch.errors import RequestInvalid
from veldwatch.storage.pool import Row

Item = TypeVar("Item", bound=BaseModel)

Id = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
LongId = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Slug = Annotated[str, msgspec.Meta(max_length=256, pattern=r"^[^\x00]*$")]
SpanKey = tuple[Moment, Id]


class Page(BaseModel, Generic[Item]):
    """Some items of a list, and where it goes on."""

    items: list[Item]
    next: str | None = Field(description="cursor of the next page; null: this is the last")


def build_page(model: type[Item], rows: Sequence[Row], limit: int, key: Callable[[Row], Any]) -> Page[Item]:
    """Make a page of rows that were fetched with one more than the limit.

    Args:
        key: what the next page begins after, from its last row.
    """
    shown = rows[:limit]
    after = encode_cursor(key(shown[-1])) if len(rows) > limit else None
    return Page[model](items=[model.model_validate(row) for row in shown], next=after)


def encode_cursor(key: object) -> str:
    """Pack a key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def decode_cursor(cursor: str, kind: object) -> Any:  # noqa: ANN401  # what `kind` says, which the type system cannot
    """Unpack a key of the expected kind.

    Raises:
        RequestInvalid: nobody was given this cursor, or for another list.
    """
    try:
        packed = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
        return msgspec.json.decode(packed, type=kind)
    except (msgspec.MsgspecError, binascii.Error, UnicodeError) as error:
        raise RequestInvalid("bad cursor (expected `next` of the page before, with the same filters)") from error


def id_after(cursor: str | None) -> int:
    """Unpack the cursor of a list that is ordered by id; 0 before the first page."""
    return 0 if cursor is None else int(decode_cursor(cursor, LongId))
