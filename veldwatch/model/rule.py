"""A rule: which devices, which condition, how long, how bad, and what to say.

Rules are values: two that are equal are the same version wherever they are loaded (`version_id` in
`veldwatch.wire.rule_document`). Every condition names one input: readings of a metric, positions, or contacts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType


class Severity(StrEnum):
    """How bad it is, mildest first."""

    INFO = "info"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class FlowKind(StrEnum):
    """What a reading of a continuous-flow condition is."""

    REGISTER = "register"
    """A counter: a reading shows flow when it is more than `minimum` above the one before."""
    RATE = "rate"
    """A gauge: a reading shows flow when it is above `minimum`."""


class Beginning(StrEnum):
    """Which runs a continuous-flow condition reports."""

    SEEN = "seen"
    """Only runs whose beginning lies in the readings: something before them shows no flow, or a gap."""
    UNSEEN = "unseen"
    """Only a run that was under way at the first reading ever."""
    ANY = "any"


class GeofenceEvent(StrEnum):
    """Which crossing opens an alert; the opposite one ends it."""

    ENTER = "enter"
    EXIT = "exit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Which devices a rule is for: those that match every part that is given."""

    organisation: str | None = None
    site: str | None = None
    """Slug; devices of the sites below it match too."""
    profile: str | None = None
    devices: tuple[str, ...] = ()
    """External ids, any of them."""
    tags: tuple[str, ...] = ()
    """All of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A value beyond a limit: it counts from that reading to the next.

    Exactly one of `above`, `below` and `outside` is given.

    Attributes:
        outside: lower and upper limit; values on a limit are inside.
        dead_band: how far back inside a value must come to end it, in the metric's unit, n ≥ 0.
    """

    metric: str
    above: float | None = None
    below: float | None = None
    outside: tuple[float, float] | None = None
    dead_band: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuousFlow:
    """Flow that never stops: a leak, a running tap, a stuck valve.

    A run begins at the first reading that shows flow, goes on while every next reading does and comes within
    `max_gap`, and ends at the last such reading; it counts when end minus beginning is `duration` or more.
    """

    metric: str
    duration: timedelta
    max_gap: timedelta = timedelta(hours=2)
    of: FlowKind = FlowKind.REGISTER
    minimum: float = 0.0
    beginning: Beginning = Beginning.SEEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Silence: nothing received from a device for `silent_for`, whatever time its messages say."""

    silent_for: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Geofence:
    """A boundary crossed.

    Exactly one of `site` and `polygon` is given.

    Attributes:
        site: slug of a site with a geometry, of the device's own organisation.
        polygon: a GeoJSON geometry as canonical text, Polygon or MultiPolygon, WGS 84.
        margin_metres: how far beyond the boundary a fix must be to count as outside after it was inside.
        max_gap: two fixes further apart say nothing of the way between them.
    """

    event: GeofenceEvent
    site: str | None = None
    polygon: str | None = None
    margin_metres: float = 25.0
    max_gap: timedelta = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Immobility:
    """An animal that stays in one place longer than its kind does: ill, dead, snared, or a collar that fell off.

    Source: EarthRanger's immobility analyser: 13 m, 18,000 s, 0.8 of the fixes.
    """

    radius_metres: float = 13.0
    window: timedelta = timedelta(seconds=18000)
    share: float = 0.8


Condition = Threshold | ContinuousFlow | Absence | Geofence | Immobility


def _no_labels() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is watched for, and what is said when it happens.

    Attributes:
        id: slug, unique in an installation.
        hold_for: how long the condition must last before it fires (threshold and geofence only).
        keep_firing_for: how long it must stay away before the alert counts as over.
        message: a template (`veldwatch.model.message_template`); None: a sentence made from the condition.
        runbook: address of instructions, shown with the alert.
        detects: kinds of fault (`veldwatch.model.faults`) that it is there to find, sorted; empty: what it tells of is
            no fault (heat, an empty battery), and it is not scored; None: nobody said. No part of what it does.
    """

    id: str
    title: str
    severity: Severity
    condition: Condition
    select: Selector = Selector()
    hold_for: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)
    message: str | None = None
    runbook: str | None = None
    labels: Mapping[str, str] = field(default_factory=_no_labels)
    detects: tuple[str, ...] | None = None


def metric_of(condition: Condition) -> str | None:
    """Name the metric whose readings a condition folds; None: it folds positions or contacts."""
    match condition:
        case Threshold() | ContinuousFlow():
            return condition.metric
        case Absence() | Geofence() | Immobility():
            return None


def own_time(rule: Rule) -> timedelta:
    """Give how long the condition of a rule must last before it fires."""
    match rule.condition:
        case ContinuousFlow():
            return rule.condition.duration
        case Absence():
            return rule.condition.silent_for
        case Immobility():
            return rule.condition.window
        case Threshold() | Geofence():
            return rule.hold_for
