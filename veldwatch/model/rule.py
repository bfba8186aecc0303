"""A rule: which devices, which condition, how long, how bad, and what to say.

Rules are values: two that are equal are the same version wherever they are loaded (`version_id` in
`veldwatch.wire.rule_document`). Every condition names one input: readings of a metric, positions, or contacts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from veldwatch.model.conditions.kinds import Condition, own_time
from veldwatch.model.impact import Impact
from veldwatch.model.schedule import Schedule


class Severity(StrEnum):
    """How bad it is, mildest first."""

    INFO = "info"
    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"


class Explains(StrEnum):
    """What an alert of a rule explains while it holds: never more than silence."""

    SILENCE = "silence"
    """Of all devices at its site and at the sites below: their power is gone."""
    SILENCE_BEHIND_GATEWAY = "silence_behind_gateway"
    """Of the devices that are heard through its device."""


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
class Escalation:
    """A step that raises the severity of an alert while it holds: all that is given must be so.

    Attributes:
        after: how long it has fired.
        above: the condition's value is above this, in its unit,
        below: or below this.
    """

    severity: Severity
    after: timedelta | None = None
    above: float | None = None
    below: float | None = None


def _no_labels() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is watched for, and what is said when it happens.

    Attributes:
        id: slug, unique in an installation.
        hold_for: how long the condition must last before it fires; only for conditions that have no time of their own.
        escalate: what raises the severity, each step to a higher one.
        keep_firing_for: how long it must stay away before the alert counts as over.
        message: a template (`veldwatch.model.message_template`); None: a sentence made from the condition.
        runbook: address of instructions, shown with the alert.
        detects: kinds of fault (`veldwatch.model.faults`) that it is there to find, sorted; empty: what it tells of is
            no fault (heat, an empty battery), and it is not scored; None: nobody said. No part of what it does.
        explains: whose silence its alerts explain, so that it is not told; None: nobody's. No part of what it raises.
        impact: how to estimate what an alert is about; None: it is not estimated. No part of what it raises.
        reason: why one should care, shown with its alerts. No part of what it raises.
        schedule: when people are told; None: at all times. No part of what it raises.
        source: where the method or the limit is from, shown with its alerts. No part of what it raises.
    """

    id: str
    title: str
    severity: Severity
    condition: Condition
    select: Selector = Selector()
    hold_for: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)
    escalate: tuple[Escalation, ...] = ()
    message: str | None = None
    runbook: str | None = None
    labels: Mapping[str, str] = field(default_factory=_no_labels)
    detects: tuple[str, ...] | None = None
    explains: Explains | None = None
    impact: Impact | None = None
    reason: str | None = None
    source: str | None = None
    schedule: Schedule | None = None


def time_to_fire(rule: Rule) -> timedelta:
    """Give how long the condition of a rule must last before it fires."""
    return own_time(rule.condition) or rule.hold_for
