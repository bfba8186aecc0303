"""What every simulated system is: devices whose physics hang together, advanced step by step.

A system holds arrays, one element a device or a site, and advances all of them at once. It reads no clock and draws
only from `Chance`, so its state is a function of plan, seed and steps. Banks read it: a bank is the devices of one
model, which tell the same metrics. Physical faults change the system from within; what goes wrong with an instrument
or on the wire lies outside (`simulators/faults`).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from simulators.chance import Chance, Floats
from simulators.moment import Moment
from simulators.report import Fixes, Happening, Metric, Name, Place
from simulators.scenario import DevicePlan, SitePlan
from veldwatch.errors import ConfigurationInvalid

Rows = NDArray[np.intp]
Flags = NDArray[np.bool_]
State = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What all systems of a scenario share.

    Attributes:
        ends_at: of the run, in milliseconds since 1970; None: it has no end.
    """

    seed: int
    ends_at: int | None = None

    def chance(self, names: Sequence[str]) -> Chance:
        """Make the draws of some things by name."""
        return Chance(self.seed, names)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPlan:
    """The part of a scenario that one system plays.

    Attributes:
        name: `organisation/root site`.
        sites: the tree below the root site, the root first, parents before children.
        devices: at these sites, in the order of the scenario.
        begins_at: milliseconds since 1970; the moment before the first step.
    """

    name: str
    sites: tuple[SitePlan, ...]
    devices: tuple[DevicePlan, ...]
    begins_at: int

    def of_model(self, *models: str) -> tuple[DevicePlan, ...]:
        """Return the devices of some models."""
        return tuple(device for device in self.devices if device.model in models)

    def site_rows(self, devices: Sequence[DevicePlan]) -> Rows:
        """Return each device's site as an index into `sites`."""
        places = {site.slug: row for row, site in enumerate(self.sites)}
        return np.array([places[device.site] for device in devices], dtype=np.intp)


class PhysicalFault(Protocol):
    """Something that goes wrong in a system; it holds what it must know of it."""

    def step(self, moment: Moment) -> None:
        """Change the system for the coming step; called before each `advance` from begin to end."""
        ...

    def end(self) -> None:
        """Undo what does not outlast it."""
        ...

    def state(self) -> dict[str, float]:
        """Give what a restart must know."""
        ...

    def restore(self, state: Mapping[str, float]) -> None:
        """Take up what `state` gave."""
        ...


class Bank:
    """Devices of one model in one system, read together.

    Attributes:
        devices: in the order of their rows.
        metrics: what each report tells, in the order of the payload.
        alive: a report is a sign of life only (a gateway).
    """

    metrics: tuple[Metric, ...] = ()
    alive: bool = False

    def __init__(self, devices: Sequence[DevicePlan]) -> None:
        self.devices = tuple(devices)
        self.rows: Mapping[Name, int] = {Name(plan.organisation, plan.id): row for row, plan in enumerate(devices)}

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Read some rows: values by metric, not a number where nothing is told."""
        del rows, moment
        return {}

    def fixes(self, rows: Rows, moment: Moment) -> Fixes | None:
        """Locate some rows; None: these are no trackers."""
        del rows, moment

    def events(self, moment: Moment) -> Sequence[Happening]:
        """Tell what happened in the step, besides the regular reports; `row` is a row of the bank."""
        del moment
        return ()

    def silent(self, rows: Rows, moment: Moment) -> Flags | None:
        """Say which rows cannot send, for want of power or of a modem; None: all can."""
        del rows, moment


class System(ABC):
    """Devices whose physics hang together.

    Args:
        plan: what it plays.
        world: what it shares with others.
    """

    models: frozenset[str]
    """Which devices belong to a system of this kind."""

    def __init__(self, plan: SystemPlan, world: World) -> None:
        self.plan = plan
        self.world = world

    @property
    @abstractmethod
    def banks(self) -> Sequence[Bank]:
        """Return its devices by model."""

    @abstractmethod
    def advance(self, moment: Moment) -> None:
        """Let a step pass, up to a moment."""

    @abstractmethod
    def state(self) -> State:
        """Give the arrays that a restart must know."""

    @abstractmethod
    def restore(self, state: State) -> None:
        """Take up what `state` gave."""

    def resume(self, name: Name, values: Mapping[str, float]) -> None:
        """Let a device's registers go on from what is known of them; values by metric."""
        del name, values

    def fault(self, kind: str, place: Place, parameters: Mapping[str, float]) -> PhysicalFault:
        """Begin a fault.

        Args:
            parameters: all that the kind takes, within their limits.

        Raises:
            ConfigurationInvalid: the fault does not suit the place.
        """
        del parameters
        raise ConfigurationInvalid(f"bad fault: {kind!r} does not suit {place}")
