"""Trying a source: what would come of a message by the sources and the register as they are now; nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from veldwatch.config import Settings, Source
from veldwatch.errors import ConfigurationInvalid, MessageRejected, NotFound
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Quality, Reading, Rejection
from veldwatch.patterns import matches_whole
from veldwatch.storage import register
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries
from veldwatch.storage.sources import EditedSource, list_sources
from veldwatch.wire import topics
from veldwatch.wire.preview import Preview, preview_of
from veldwatch.wire.source_document import SourceDefinition
from veldwatch.wire.sources import Route, check_source
from veldwatch.wire.units import conversion
from veldwatch.wire.values import shown

_QUERIES = load_queries("sources")
# After every source of the database.
_OF_SETTINGS = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A message, and the source that it is tried on.

    Attributes:
        source: a definition, or the name of a source; None: the one that takes the topic.
        topic: None: one that the source's filter takes.
    """

    source: SourceDefinition | str | None
    topic: str | None
    payload: bytes
    received_at: datetime


def try_source(
    connection: Connection | None, settings: Settings, trial: Trial, *, organisation: str | None = None
) -> Preview:
    """Tell what would come of a message.

    Args:
        connection: None: neither the database's sources nor the register are looked at.
        organisation: slug of the one whose devices and sources may be told of; None: all.

    Raises:
        NotFound: no source of that name.
        ConfigurationInvalid: the definition could not work, or no topic can be made of its filter.
    """
    listed = _listed([] if connection is None else list_sources(connection), settings.sources)
    chosen = _chosen(trial, listed, organisation)
    if chosen is None:
        rejection = Rejection(Reason.NO_SOURCE, "no source takes this topic")
        return Preview(source=None, decoder=None, received_at=trial.received_at, rejections=(rejection,))
    source = chosen.source
    topic = trial.topic or _topic_for(source.topic_filter)
    warnings = _warnings(chosen, topic, [each for each in listed if _may_see(each, organisation)])
    if trial.topic is None:
        warnings.append(f"no topic was given, so {topic!r} was taken")
    try:
        decode = check_source(source)
    except ConfigurationInvalid as error:
        if isinstance(trial.source, SourceDefinition):
            raise
        rejection = Rejection(Reason.SOURCE_INVALID, f"source {source.name!r} cannot work: {error}")
        return Preview(
            source=source.name, decoder=source.decoder, received_at=trial.received_at, rejections=(rejection,)
        )
    preview = preview_of(
        Route(source=source, decode=decode),
        topic,
        trial.payload,
        trial.received_at,
        limit=settings.payload_limit_bytes,
        organisation=settings.default_organisation,
    )
    if connection is not None and preview.organisation is not None and organisation in (None, preview.organisation):
        preview = _registered(connection, preview, source, settings)
    return replace(preview, warnings=(*preview.warnings, *warnings))


def _listed(edited: Sequence[EditedSource], configured: Sequence[Source]) -> list[SourceDefinition]:
    """List all sources in the order in which they are asked, disabled ones too."""
    names = {each.source.name for each in edited}
    return [each.definition for each in edited] + [
        SourceDefinition.model_construct(**source.model_dump(), priority=_OF_SETTINGS, enabled=True)
        for source in configured
        if source.name not in names
    ]


def _chosen(trial: Trial, listed: list[SourceDefinition], organisation: str | None) -> SourceDefinition | None:
    if isinstance(trial.source, SourceDefinition):
        return trial.source
    if trial.source is not None:
        for each in listed:
            if each.name == trial.source and _may_see(each, organisation):
                return each
        raise NotFound(f"no source {trial.source!r} (list them with GET /v1/sources or `veldwatch sources list`)")
    if trial.topic is None:
        raise ConfigurationInvalid("neither a source nor a topic is named (expected one of them)")
    found = next((each for each in listed if _takes(each, trial.topic)), None)
    if found is not None and not _may_see(found, organisation):
        raise NotFound(f"another organisation's source takes topic {shown(trial.topic)}")
    return found


def _may_see(source: SourceDefinition, organisation: str | None) -> bool:
    return organisation is None or source.organisation in (None, organisation)


def _takes(source: SourceDefinition, topic: str) -> bool:
    return source.enabled and topics.is_filter(source.topic_filter) and topics.matches(source.topic_filter, topic)


def _warnings(chosen: SourceDefinition, topic: str, listed: list[SourceDefinition]) -> list[str]:
    said: list[str] = []
    if not topics.matches(chosen.topic_filter, topic):
        said.append(f"topic filter {chosen.topic_filter!r} does not take topic {shown(topic)}")
    if not chosen.enabled:
        said.append("the source is disabled: it takes no message")
    place = (chosen.priority, chosen.name)
    before = next(
        (
            each.name
            for each in listed
            if each.name != chosen.name and _takes(each, topic) and (each.priority, each.name) < place
        ),
        None,
    )
    if before is not None and chosen.priority != _OF_SETTINGS:
        said.append(f"source {before!r} is asked before and takes this topic (give this one a smaller priority)")
    return said


def _topic_for(topic_filter: str) -> str:
    """Make a topic that a filter takes."""
    return "/".join("x" if level in ("+", "#") else level for level in topic_filter.split("/"))


def _registered(connection: Connection, preview: Preview, source: Source, settings: Settings) -> Preview:
    """Hold what was read against the register: whose devices may speak, and what is known of their series.

    How many devices may register themselves within an hour is not counted.
    """
    slug = preview.organisation or ""
    known = register.find_devices(connection, [(slug, device) for device, _ in preview.devices])
    devices = tuple(
        (
            device,
            known[slug, device].status.value if (slug, device) in known else _newcomer(device, slug, source, settings),
        )
        for device, _ in preview.devices
    )
    refused = [_refusal(connection, device, slug, state) for device, state in devices if state in _REFUSED]
    readings, mismatched = _converted(preview.readings, _series(connection, slug, preview.readings))
    rejections = (*preview.rejections, *refused[:1], *mismatched)
    return replace(preview, devices=devices, readings=tuple(readings), rejections=rejections)


def _newcomer(device: str, slug: str, source: Source, settings: Settings) -> str:
    """Say whether a device would register itself: `new` or `unknown`."""
    allowed = settings.register_unknown_devices if source.register_unknown is None else source.register_unknown
    fits = source.device_pattern is None or matches_whole(source.device_pattern, device)
    return "new" if allowed and fits and topics.is_slug(slug) else "unknown"


_REFUSED = {
    "unknown": "is not registered (register it, or let the source register devices like it)",
    "retired": "was taken out of service",
    "refused": "was refused",
}


def _refusal(connection: Connection, device: str, slug: str, state: str) -> Rejection:
    reason = {"retired": Reason.DEVICE_RETIRED, "refused": Reason.DEVICE_REFUSED}.get(state, Reason.UNKNOWN_DEVICE)
    if state == "unknown" and slug not in register.find_organisations(connection):
        reason = Reason.UNKNOWN_ORGANISATION
    return Rejection(reason, f"device {shown(device)} of organisation {slug!r} {_REFUSED[state]}")


class _Known(NamedTuple):
    """What is known of a series, or will be by its device's profile; the range is in `range_unit`."""

    unit: str
    minimum: float | None
    maximum: float | None
    range_unit: str


def _series(connection: Connection, slug: str, readings: Sequence[Reading]) -> dict[tuple[str, str], _Known]:
    named = list(dict.fromkeys((reading.device, reading.metric) for reading in readings))
    values = {
        "organisations": [slug] * len(named),
        "external_ids": [device for device, _ in named],
        "metrics": [metric for _, metric in named],
    }
    with translated_errors():
        rows = connection.execute(_QUERIES["series"], values).fetchall()
    return {(device, metric): _Known(*known) for device, metric, *known in rows}


def _converted(
    readings: Sequence[Reading], series: dict[tuple[str, str], _Known]
) -> tuple[list[Reading], list[Rejection]]:
    """Give readings as their series have them; those whose unit cannot become the series' own are rejections."""
    kept: list[Reading] = []
    mismatched: list[Rejection] = []
    for reading in readings:
        known = series.get((reading.device, reading.metric))
        try:
            kept.append(reading if known is None else _as_stored(reading, known))
        except MessageRejected as error:
            mismatched.append(Rejection(error.reason, f"{shown(reading.metric)}: {error.detail}"))
    return kept, mismatched


def _as_stored(reading: Reading, known: _Known) -> Reading:
    unit = known.unit or reading.unit
    value = reading.value
    if reading.unit is not None and known.unit:
        value = conversion(reading.unit, known.unit).apply(value)
    outside = _is_outside(value, known, unit or "")
    quality = reading.quality | (int(Quality.IMPLAUSIBLE) if outside else 0)
    return reading._replace(value=value, unit=unit, quality=quality)


def _is_outside(value: float, known: _Known, unit: str) -> bool:
    """Tell whether a value is not within its plausible range; a range in a unit of something else is none."""
    try:
        convert = conversion(known.range_unit, unit).apply
    except MessageRejected:
        return False
    return (known.minimum is not None and value < convert(known.minimum)) or (
        known.maximum is not None and value > convert(known.maximum)
    )
