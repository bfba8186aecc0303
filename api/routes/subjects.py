"""GET and PUT /v1/subjects, and their history across whatever devices were on them."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from api.access import Operator, Viewer
from api.geojson import points, tracks
from api.models.deployments import Deployment, DeploymentList, Exchange, Subject, SubjectBody
from api.models.telemetry import FeatureCollection, Reading
from api.pages import Page, SpanKey, build_page, decode_cursor, encode_cursor, id_after
from api.parameters import Instant, Order, Paging, Text
from api.parts import Shared
from api.routes.positions import MEDIA_TYPE
from veldwatch.errors import NotFound, NotPermitted, RequestInvalid
from veldwatch.model.identifiers import DeviceId, SubjectId
from veldwatch.model.register import Subject as SubjectEntry
from veldwatch.storage import deployments, register
from veldwatch.storage.connection import Connection
from veldwatch.storage.deployments import SubjectFilter
from veldwatch.storage.devices import get_device
from veldwatch.storage.pool import Row
from veldwatch.storage.timespan import Timespan
from veldwatch.storage.tokens import Bearer

router = APIRouter(prefix="/v1/subjects", tags=["register"])

Named = Annotated[str, Path(min_length=1, max_length=256, pattern=r"^[^\x00]*$")]
Of = Annotated[Text | None, Query(description="slug, where several have such a subject")]


class SubjectQuery(Paging):
    """Which subjects."""

    organisation: Text | None = Field(None, description="slug")
    kind: Text | None = Field(None, description="such as `animal`")
    species: Text | None = Field(None, description="scientific name")


class HistoryQuery(Paging):
    """Which part of a subject's history; pages of up to 10,000 rows."""

    organisation: Text | None = Field(None, description="slug, where several have such a subject")
    since: Instant | None = Field(None, alias="from", description="first time that counts")
    until: Instant | None = Field(None, alias="to", description="first time that does not")
    limit: int = Field(1000, ge=1, le=10_000, description="rows at most")
    order: Order = "asc"

    def span(self) -> Timespan:
        """Give the page that is asked for, with a row more, which tells whether there is another page."""
        after = None if self.cursor is None else decode_cursor(self.cursor, SpanKey)
        newest_first = self.order == "desc"
        return Timespan(
            since=self.since, until=self.until, newest_first=newest_first, after=after, limit=self.limit + 1
        )


class ReadingHistory(HistoryQuery):
    """Which readings."""

    metric: Text | None = None


class PositionHistory(HistoryQuery):
    """Which fixes, and in which form."""

    track: bool = Field(False, description="one LineString per device, of the plausible fixes on this page")


@router.get("")
def read_subjects(parts: Shared, bearer: Viewer, ask: Annotated[SubjectQuery, Query()]) -> Page[Subject]:
    """List subjects by id, each with the devices that are on it now."""
    which = SubjectFilter(organisation=ask.organisation, kind=ask.kind, species=ask.species)
    with parts.pool.lend() as connection:
        rows = deployments.list_subjects(
            connection, bearer.scope, which, after=id_after(ask.cursor), limit=ask.limit + 1
        )
    return build_page(Subject, rows, ask.limit, lambda row: row["id"])


@router.get("/{subject}")
def read_subject(parts: Shared, bearer: Viewer, subject: Named, organisation: Of = None) -> Subject:
    """Give one subject."""
    with parts.pool.lend() as connection:
        return Subject.model_validate(deployments.find_subject(connection, bearer.scope, subject, organisation))


@router.put("/{subject}")
def put_subject(parts: Shared, bearer: Operator, subject: Named, body: SubjectBody) -> Subject:
    """Make a subject, or bring it to what is said; a species that is known brings its highest speed."""
    with parts.pool.lend() as connection:
        slug = _organisation(connection, bearer, body.organisation)
        entry = SubjectEntry(
            organisation_id=register.find_organisations(connection)[slug],
            slug=subject,
            name=body.name or subject,
            kind=body.kind,
            species=body.species,
            maximum_speed=body.maximum_speed,
        )
        register.ensure_subject(connection, entry)
        return Subject.model_validate(deployments.find_subject(connection, bearer.scope, subject, slug))


@router.get("/{subject}/deployments")
def read_subject_deployments(parts: Shared, bearer: Viewer, subject: Named, organisation: Of = None) -> DeploymentList:
    """List which devices were on a subject when, newest first."""
    with parts.pool.lend() as connection:
        found = deployments.find_subject(connection, bearer.scope, subject, organisation)
        rows = deployments.list_deployments(connection, bearer.scope, subject_id=found["id"])
    return DeploymentList.model_validate({"items": rows})


@router.get("/{subject}/readings")
def read_subject_readings(
    parts: Shared, bearer: Viewer, subject: Named, ask: Annotated[ReadingHistory, Query()]
) -> Page[Reading]:
    """List readings of whatever devices were on a subject when they were made, as one history."""
    with parts.pool.lend() as connection:
        found = deployments.find_subject(connection, bearer.scope, subject, ask.organisation)
        rows = deployments.subject_readings(connection, found["id"], ask.metric, ask.span())
    return build_page(Reading, rows, ask.limit, lambda row: (row["observed_at"], row["series_id"]))


@router.get(
    "/{subject}/positions",
    response_class=Response,
    responses={200: {"model": FeatureCollection, "content": {MEDIA_TYPE: {}}}},
)
def read_subject_positions(
    parts: Shared, bearer: Viewer, subject: Named, ask: Annotated[PositionHistory, Query()]
) -> Response:
    """List fixes of whatever devices were on a subject when they were made, as GeoJSON."""
    with parts.pool.lend() as connection:
        found = deployments.find_subject(connection, bearer.scope, subject, ask.organisation)
        rows = deployments.subject_positions(connection, found["id"], ask.span())
    shown = rows[: ask.limit]
    last = (shown[-1]["observed_at"], shown[-1]["device_id"]) if len(rows) > ask.limit else None
    features = tracks(shown[::-1] if ask.order == "desc" else shown) if ask.track else points(shown)
    collection = FeatureCollection(features=features, next=None if last is None else encode_cursor(last))
    return Response(collection.model_dump_json(), media_type=MEDIA_TYPE)


@router.post("/{subject}/exchange", status_code=201)
def exchange_devices(
    parts: Shared, bearer: Operator, subject: Named, body: Exchange, organisation: Of = None
) -> Deployment:
    """Put one device in another's place at one moment: a new meter at a service point."""
    with parts.pool.lend() as connection:
        found = deployments.find_subject(connection, bearer.scope, subject, organisation)
        for device_id in (body.device_id, body.by_device_id):
            check_same_organisation(get_device(connection, bearer.scope, device_id), found)
        number = deployments.exchange_device(
            connection,
            DeviceId(body.device_id),
            DeviceId(body.by_device_id),
            SubjectId(found["id"]),
            body.at or datetime.now(UTC),
        )
        return Deployment.model_validate(deployments.get_deployment(connection, bearer.scope, number))


def check_same_organisation(device: Row, subject: Row) -> None:
    """Refuse a device on another organisation's subject.

    Raises:
        RequestInvalid: they are of two organisations.
    """
    if device["organisation"] != subject["organisation"]:
        raise RequestInvalid(
            f"device {device['external_id']!r} is {device['organisation']!r}'s and subject {subject['slug']!r}"
            f" {subject['organisation']!r}'s (expected both of one organisation)"
        )


def _organisation(connection: Connection, bearer: Bearer, asked: str | None) -> str:
    slug = asked or bearer.organisation
    if slug is None:
        raise RequestInvalid("no organisation (your token is for all of them: name one)")
    if bearer.organisation is not None and slug != bearer.organisation:
        raise NotPermitted(f"your token is for organisation {bearer.organisation!r} alone")
    if slug not in register.find_organisations(connection):
        raise NotFound(f"no organisation {slug!r} (list them with GET /v1/organisations)")
    return slug
