"""Trying a source: what would come of a message by the sources and the register as they are now; nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from veldwatch.config import Settings, Source
from veldwatch.errors import ConfigurationInvalid, MessageRejected, NotFound
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Reading, Rejection
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
        preview = _registered(connection, preview, may_register=_may_register(source, settings))
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


def _may_register(source: Source, settings: Settings) -> bool:
    return settings.register_unknown_devices if source.register_unknown is None else source.register_unknown


def _registered(connection: Connection, preview: Preview, *, may_register: bool) -> Preview:
    """Hold what was read against the register: whose devices are known, and which units their series have."""
    slug = preview.organisation or ""
    known = register.find_devices(connection, [(slug, device) for device, _ in preview.devices])
    may_register = may_register and topics.is_slug(slug)
    devices = tuple(
        (device, known[slug, device].status.value if (slug, device) in known else "new" if may_register else "unknown")
        for device, _ in preview.devices
    )
    rejections = list(preview.rejections)
    unknown = next((device for device, state in devices if state == "unknown"), None)
    if unknown is not None:
        organisations = register.find_organisations(connection)
        reason = Reason.UNKNOWN_DEVICE if slug in organisations else Reason.UNKNOWN_ORGANISATION
        sentence = f"device {shown(unknown)} of organisation {slug!r} (register it, or let the source register devices)"
        rejections.append(Rejection(reason, sentence))
    readings, mismatched = _converted(preview.readings, _units(connection, slug, preview.readings))
    return replace(preview, devices=devices, readings=tuple(readings), rejections=(*rejections, *mismatched))


def _units(connection: Connection, slug: str, readings: Sequence[Reading]) -> dict[tuple[str, str], str]:
    named = list(dict.fromkeys((reading.device, reading.metric) for reading in readings))
    values = {
        "organisations": [slug] * len(named),
        "external_ids": [device for device, _ in named],
        "metrics": [metric for _, metric in named],
    }
    with translated_errors():
        rows = connection.execute(_QUERIES["units"], values).fetchall()
    return {(device, metric): unit for _, device, metric, unit in rows}


def _converted(readings: Sequence[Reading], units: dict[tuple[str, str], str]) -> tuple[list[Reading], list[Rejection]]:
    """Give readings in the units of their series; those that cannot be become rejections."""
    kept: list[Reading] = []
    mismatched: list[Rejection] = []
    for reading in readings:
        wanted = units.get((reading.device, reading.metric), "")
        if wanted == "" or reading.unit is None:
            kept.append(reading._replace(unit=wanted or reading.unit))
            continue
        try:
            value = conversion(reading.unit, wanted).apply(reading.value)
        except MessageRejected as error:
            mismatched.append(Rejection(error.reason, f"{shown(reading.metric)}: {error.detail}"))
        else:
            kept.append(reading._replace(value=value, unit=wanted))
    return kept, mismatched
