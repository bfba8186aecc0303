"""GET /v1/sites: places with their outlines."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.access import Viewer
from api.models.register import Site
from api.pages import Page, build_page, id_after
from api.parameters import Paging, Text
from api.parts import Shared
from veldwatch.storage.devices import list_sites

router = APIRouter(prefix="/v1/sites", tags=["register"])


class SiteQuery(Paging):
    """Which sites."""

    organisation: Text | None = Field(None, description="slug")
    kind: Text | None = Field(None, description="such as `district_metered_area`")


@router.get("")
def read_sites(parts: Shared, bearer: Viewer, ask: Annotated[SiteQuery, Query()]) -> Page[Site]:
    """List sites by id, each with its GeoJSON geometry."""
    with parts.pool.lend() as connection:
        rows = list_sites(
            connection,
            bearer.scope,
            organisation=ask.organisation,
            kind=ask.kind,
            after=id_after(ask.cursor),
            limit=ask.limit + 1,
        )
    return build_page(Site, rows, ask.limit, lambda row: row["id"])
