"""GET /v1/organisations: the organisations that a token may see."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.access import Viewer
from api.models.register import Organisation
from api.pages import Page, Slug, build_page, decode_cursor
from api.parameters import Paging
from api.parts import Shared
from veldwatch.storage.devices import list_organisations

router = APIRouter(prefix="/v1/organisations", tags=["register"])


@router.get("")
def read_organisations(parts: Shared, bearer: Viewer, ask: Annotated[Paging, Query()]) -> Page[Organisation]:
    """List organisations by slug."""
    after = "" if ask.cursor is None else decode_cursor(ask.cursor, Slug)
    with parts.pool.lend() as connection:
        rows = list_organisations(connection, bearer.scope, after=after, limit=ask.limit + 1)
    return build_page(Organisation, rows, ask.limit, lambda row: row["slug"])
