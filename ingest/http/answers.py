"""What a sender is told: what of its request was new, what was there already, and what could not be stored, and why."""

from collections.abc import Sequence

from pydantic import BaseModel, Field

from ingest.http.batching import Fate

LISTED_AT_MOST = 1000


class Rows(BaseModel):
    """Rows of one kind."""

    new: int = Field(examples=[3])
    duplicate: int = Field(description="stored already, with the same value", examples=[0])


class Refused(BaseModel):
    """An item, or a part of one, that is in quarantine."""

    item: int = Field(description="place in the request, from 0", examples=[2])
    reason: str = Field(examples=["bad_value"])
    detail: str = Field(examples=["temperature: 1e400 is not a finite number"])
    id: int = Field(description="as GET /v1/quarantine lists it", examples=[17])


class Receipt(BaseModel):
    """What became of a request, once it was committed."""

    items: int = Field(examples=[3])
    readings: Rows
    positions: Rows
    events: Rows
    quarantined: int = Field(description="items, or parts of one, that could not be stored", examples=[1])
    refused: list[Refused] = Field(description="those, up to 1,000; sending them again changes nothing")


def receipt(fates: Sequence[Fate]) -> Receipt:
    """Sum up what became of a request's items."""
    refused = [
        Refused(item=place, reason=each.reason.value, detail=each.detail, id=each.id)
        for place, fate in enumerate(fates)
        for each in fate.refused
    ]
    return Receipt(
        items=len(fates),
        readings=_rows([fate.readings for fate in fates]),
        positions=_rows([fate.positions for fate in fates]),
        events=_rows([fate.events for fate in fates]),
        quarantined=len(refused),
        refused=refused[:LISTED_AT_MOST],
    )


def _rows(counts: Sequence[tuple[int, int]]) -> Rows:
    return Rows(new=sum(new for new, _ in counts), duplicate=sum(duplicate for _, duplicate in counts))
