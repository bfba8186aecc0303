"""Why devices are silent: each alert of silence, and whatever explains it, as a function of both.

Pure. A *cause* is an alert whose rule says `explains`, or a planned interruption. It explains an alert that is about
silence (`Happening.is_silence`) or is itself the sign of a cut (`explains`), at its place, when the silence began while
the cause held or so shortly before that the first report that is missing falls into it. An alert of any other condition
is never explained. Of several causes the one counts that explains the longest, of those the topmost.

No two alerts explain each other: a cut is explained only by one further up the site tree, or at the same site by a
more direct sign of it; what hangs on a gateway is explained by the gateway, and never the other way round.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from uuid import UUID

from veldwatch.model.rule import Explains

LONGEST_TOLERANCE = timedelta(days=7)
"""How long before a cause a silence may have begun at the most, whatever a device's interval."""

MISSED_REPORTS = 3
"""A rule of silence waits for about so many reports; of a device whose interval nobody knows it tells the interval."""

_NEVER = datetime.max.replace(tzinfo=UTC)


class Sign(IntEnum):
    """How an alert knows of what it tells, the most direct first."""

    MEASURED = 0
    """A device that lives said so."""
    INFERRED = 1
    """From the silence of many."""
    SILENCE = 2
    """A device is not heard."""


SIGNS: Mapping[str, Sign] = {"absence": Sign.SILENCE, "area_outage": Sign.INFERRED}
"""By the kind of condition; those that are not here measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How exact times are taken to be.

    Attributes:
        tolerance: a silence may begin so long before its cause; longer for devices that report more seldom.
        grace: after the cause devices have so long to come back; longer for rules that wait longer for a report.
    """

    tolerance: timedelta = timedelta(minutes=15)
    grace: timedelta = timedelta(minutes=10)


DEFAULT_PATIENCE = Patience()


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An alert, as far as explaining is concerned.

    Attributes:
        opened_at: of silence: when the device was last heard.
        resolved_at: None: it holds.
        sites: its site and all above, outermost first; empty: it stands nowhere.
        device: None: it is about a site.
        gateway: through which other device that is heard.
        explains: None: it is no cause.
        silent_for: of silence: how long it must last before it is told.
        interval: how often its device reports; None: nobody said.
    """

    id: UUID
    opened_at: datetime
    resolved_at: datetime | None = None
    sites: tuple[int, ...] = ()
    device: int | None = None
    gateway: int | None = None
    sign: Sign = Sign.MEASURED
    explains: Explains | None = None
    silent_for: timedelta = timedelta(0)
    interval: timedelta | None = None

    @property
    def is_explainable(self) -> bool:
        """Tell whether it is about silence, or a cut that a larger one may explain."""
        return self.sign is not Sign.MEASURED or self.explains is Explains.SILENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """A planned interruption of sites, with all below them, and of devices."""

    id: int
    begins_at: datetime
    ends_at: datetime
    sites: frozenset[int] = frozenset()
    devices: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What explains an alert: one of the two.

    Attributes:
        until: if it still holds then, it is told; None: the cause holds.
    """

    alert: UUID | None = None
    interruption: int | None = None
    until: datetime | None = None


def explain(
    happenings: Iterable[Happening],
    causes: Iterable[Happening],
    interruptions: Iterable[Interruption],
    patience: Patience,
) -> dict[UUID, Explanation | None]:
    """Explain alerts.

    Args:
        causes: every alert that may explain one of them; those of `happenings` among them.

    Returns:
        For each alert what explains it; None: nothing does.
    """
    found = _Causes(causes, interruptions)
    return {one.id: found.best(one, patience) if one.is_explainable else None for one in happenings}


def tolerance_of(one: Happening, patience: Patience) -> timedelta:
    """Say how long before a cause an alert may have begun: two reports may be lost before the first that counts."""
    if one.sign is not Sign.SILENCE:
        # What is inferred from the silence of many begins with the silence of the first of them.
        return max(patience.tolerance, one.silent_for)
    interval = one.interval or one.silent_for / MISSED_REPORTS
    return min(one.silent_for, max(patience.tolerance, 2 * interval), LONGEST_TOLERANCE)


def grace_of(one: Happening, patience: Patience) -> timedelta:
    """Say how long after its cause an alert may go on: the rule's own wait for a report begins anew."""
    return max(patience.grace, one.silent_for, 2 * (one.interval or timedelta(0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cause:
    """A cause, with the place in the tree that decides which of several counts."""

    begins_at: datetime
    ends_at: datetime | None
    depth: int
    order: str
    alert: UUID | None = None
    interruption: int | None = None


class _Causes:
    """Causes by their places."""

    def __init__(self, causes: Iterable[Happening], interruptions: Iterable[Interruption]) -> None:
        self._at_site: dict[int, list[tuple[Happening, _Cause]]] = {}
        self._at_gateway: dict[int, list[tuple[Happening, _Cause]]] = {}
        self._planned_at_site: dict[int, list[_Cause]] = {}
        self._planned_at_device: dict[int, list[_Cause]] = {}
        for one in causes:
            cause = _Cause(
                begins_at=one.opened_at, ends_at=one.resolved_at, depth=len(one.sites), order=str(one.id), alert=one.id
            )
            if one.explains is Explains.SILENCE and one.sites:
                self._at_site.setdefault(one.sites[-1], []).append((one, cause))
            elif one.explains is Explains.SILENCE_BEHIND_GATEWAY and one.device is not None:
                self._at_gateway.setdefault(one.device, []).append((one, cause))
        for planned in interruptions:
            cause = _Cause(
                begins_at=planned.begins_at,
                ends_at=planned.ends_at,
                depth=0,
                order=str(planned.id),
                interruption=planned.id,
            )
            for site in planned.sites:
                self._planned_at_site.setdefault(site, []).append(cause)
            for device in planned.devices:
                self._planned_at_device.setdefault(device, []).append(cause)

    def best(self, one: Happening, patience: Patience) -> Explanation | None:
        """Give what explains an alert the longest, and of that the topmost."""
        tolerance, grace = tolerance_of(one, patience), grace_of(one, patience)
        around = list(self._around(one))
        fitting = [cause for cause in around if _fits(one, cause, tolerance)]
        if not fitting:
            return None
        best = _last_of_chain(one, fitting, around, grace)
        until = None if best.ends_at is None else best.ends_at + grace
        return Explanation(alert=best.alert, interruption=best.interruption, until=until)

    def _around(self, one: Happening) -> Iterable[_Cause]:
        for site in one.sites:
            yield from self._planned_at_site.get(site, ())
            yield from (cause for other, cause in self._at_site.get(site, ()) if _is_above(other, one))
        if one.device is not None:
            yield from self._planned_at_device.get(one.device, ())
        # A cut that others are explained by is not explained by a gateway: the two could explain each other.
        if one.gateway is not None and one.explains is not Explains.SILENCE:
            yield from (cause for other, cause in self._at_gateway.get(one.gateway, ()) if other.id != one.id)


def _is_above(cause: Happening, one: Happening) -> bool:
    if cause.id == one.id:
        return False
    if one.explains is not Explains.SILENCE:
        return True
    return (len(cause.sites), cause.sign) < (len(one.sites), one.sign)


def _fits(one: Happening, cause: _Cause, tolerance: timedelta) -> bool:
    begins_in_time = cause.begins_at - tolerance <= one.opened_at <= (cause.ends_at or _NEVER)
    return begins_in_time and (one.resolved_at is None or one.resolved_at >= cause.begins_at)


def _last_of_chain(one: Happening, fitting: list[_Cause], around: list[_Cause], grace: timedelta) -> _Cause:
    """Give the cause that explains an alert the longest, from one to the next where there was no time to be heard.

    A device that was off at six, when its feeder was shed, and is off at seven, when its transformer is exchanged, was
    not heard in between.
    """
    best = min(fitting, key=_rank)
    later = sorted((cause for cause in around if cause.begins_at > one.opened_at), key=lambda cause: cause.begins_at)
    for cause in later:
        if best.ends_at is None or cause.begins_at > best.ends_at + grace:
            break
        if one.resolved_at is None or one.resolved_at >= cause.begins_at:
            best = min(best, cause, key=_rank)
    return best


def _rank(cause: _Cause) -> tuple[timedelta, int, datetime, str]:
    ends_at = _NEVER if cause.ends_at is None else cause.ends_at
    return (_NEVER - ends_at, cause.depth, cause.begins_at, cause.order)
