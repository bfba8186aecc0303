"""GET /v1/positions: fixes and tracks as GeoJSON (RFC 7946: longitude before latitude, WGS 84)."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.access import Viewer
from api.geojson import points, tracks
from api.models.telemetry import FeatureCollection
from api.pages import encode_cursor, id_after
from api.parameters import Order, Spanning
from api.parts import Shared
from veldwatch.errors import RequestInvalid
from veldwatch.storage.positions import latest_positions, list_positions
from veldwatch.storage.timespan import Timespan

MEDIA_TYPE = "application/geo+json"
router = APIRouter(prefix="/v1/positions", tags=["telemetry"])


class PositionQuery(Spanning):
    """Which fixes, and in which form."""

    latest: bool = Field(False, description="only the newest of each device within the time range, by device id")
    track: bool = Field(False, description="one LineString per device, of the fixes on this page")
    order: Order = Field("asc", description="desc: the newest fixes first; a track still runs from old to new")


@router.get("", response_class=Response, responses={200: {"model": FeatureCollection, "content": {MEDIA_TYPE: {}}}})
def read_positions(parts: Shared, bearer: Viewer, ask: Annotated[PositionQuery, Query()]) -> Response:
    """List fixes as GeoJSON; `next` stands beside the features."""
    if ask.latest and ask.track:
        raise RequestInvalid("latest and track exclude each other (a newest fix alone is no track)")
    collection = _latest(parts, bearer, ask) if ask.latest else _history(parts, bearer, ask)
    return Response(collection.model_dump_json(), media_type=MEDIA_TYPE)


def _latest(parts: Shared, bearer: Viewer, ask: PositionQuery) -> FeatureCollection:
    span = Timespan(since=ask.since, until=ask.until, newest_first=True, limit=ask.limit)
    with parts.pool.lend() as connection:
        rows, last = latest_positions(connection, bearer.scope, ask.which(), span, after=id_after(ask.cursor))
    return FeatureCollection(features=points(rows), next=None if last is None else encode_cursor(last))


def _history(parts: Shared, bearer: Viewer, ask: PositionQuery) -> FeatureCollection:
    newest_first = ask.order == "desc"
    with parts.pool.lend() as connection:
        found = list_positions(connection, bearer.scope, ask.which(), ask.span(newest_first=newest_first))
    rows = found[: ask.limit]
    after = encode_cursor((rows[-1]["observed_at"], rows[-1]["device_id"])) if len(found) > ask.limit else None
    features = tracks(rows[::-1] if newest_first else rows) if ask.track else points(rows)
    return FeatureCollection(features=features, next=after)
