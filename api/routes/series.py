"""GET /v1/series: what is measured where, with the newest value."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.access import Viewer
from api.models.register import Series
from api.pages import Page, build_page, id_after
from api.parameters import DeviceNaming, Text
from api.parts import Shared
from veldwatch.storage.devices import SeriesFilter, list_series

router = APIRouter(prefix="/v1/series", tags=["register"])


class SeriesQuery(DeviceNaming):
    """Which series."""

    metric: Text | None = None


@router.get("")
def read_series(parts: Shared, bearer: Viewer, ask: Annotated[SeriesQuery, Query()]) -> Page[Series]:
    """List series by id."""
    which = SeriesFilter(organisation=ask.organisation, device=ask.device, device_id=ask.device_id, metric=ask.metric)
    with parts.pool.lend() as connection:
        rows = list_series(connection, bearer.scope, which, after=id_after(ask.cursor), limit=ask.limit + 1)
    return build_page(Series, rows, ask.limit, lambda row: row["id"])
