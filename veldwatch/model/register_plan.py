"""A bulk register: what lines of a list ask for -> what has to be made and changed, or what is wrong with which line.

Pure: the register as it is comes in as `Known`. An empty cell (None) keeps what there is. Nothing is to be written
unless every line is right.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from veldwatch.model.identifiers import DeviceId, OrganisationId, ProfileId, SiteId, SubjectId
from veldwatch.model.register import DeviceStatus

DEFAULT_SOURCE = "veldwatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEntry:
    """One line: a device, and the subject that it is on; None: not said.

    Attributes:
        line: where it stands, for messages.
        organisation: slug; profile and site too.
        gateway: external id of the device through which it is heard.
        people: who depend on it.
        customers: connections that are billed.
        supplies_site: an inlet, a feeder, a pump: who depends on it is among those of its site and below.
        since: when it came on its subject; None: ever since.
        until: when it left it; None: it has not.
    """

    line: int
    organisation: str
    external_id: str
    source: str | None = None
    name: str | None = None
    profile: str | None = None
    site: str | None = None
    status: DeviceStatus | None = None
    longitude: float | None = None
    latitude: float | None = None
    tags: tuple[str, ...] | None = None
    gateway: str | None = None
    people: int | None = None
    customers: int | None = None
    supplies_site: bool | None = None
    subject: str | None = None
    subject_kind: str | None = None
    species: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class LineError(NamedTuple):
    """What is wrong with a line."""

    line: int
    detail: str


class DeviceRow(NamedTuple):
    """A device as it is kept, without its identity."""

    name: str
    profile_id: ProfileId | None
    site_id: SiteId | None
    source: str
    status: str
    longitude: float | None
    latitude: float | None
    tags: tuple[str, ...]
    gateway: str | None = None
    people: int | None = None
    customers: int | None = None
    supplies_site: bool = False

    @property
    def dependants(self) -> tuple[int | None, int | None, bool]:
        """Give who depends on it."""
        return self.people, self.customers, self.supplies_site


NOBODY_SAID = (None, None, False)
"""Dependants of a device of which nothing was said."""


class StandingDeployment(NamedTuple):
    """A deployment that there is."""

    id: int
    subject: str
    since: datetime | None
    until: datetime | None


DeviceName = tuple[OrganisationId, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The register as far as a list names it, and as far as the asker may see it."""

    organisations: Mapping[str, OrganisationId]
    profiles: Mapping[str, ProfileId]
    sites: Mapping[tuple[OrganisationId, str], SiteId]
    devices: Mapping[DeviceName, tuple[DeviceId, DeviceRow]]
    subjects: Mapping[tuple[OrganisationId, str], SubjectId]
    deployments: Mapping[DeviceId, Sequence[StandingDeployment]]


class NewSubject(NamedTuple):
    """A subject to be made."""

    organisation_id: OrganisationId
    slug: str
    kind: str
    species: str | None


class NewDeployment(NamedTuple):
    """A device to be put on a subject, both by their names."""

    device: DeviceName
    subject: str
    since: datetime | None
    until: datetime | None


@dataclass(slots=True, kw_only=True)
class Plan:
    """What is to be done.

    Attributes:
        outcomes: line to `created`, `changed` or `unchanged`.
        estimated: organisations in which others depend on a device than before.
        ended: deployments whose end becomes another one.
    """

    outcomes: dict[int, str] = field(default_factory=dict[int, str])
    estimated: set[OrganisationId] = field(default_factory=set[OrganisationId])
    errors: list[LineError] = field(default_factory=list[LineError])
    created: dict[DeviceName, DeviceRow] = field(default_factory=dict[DeviceName, DeviceRow])
    changed: dict[DeviceId, DeviceRow] = field(default_factory=dict[DeviceId, DeviceRow])
    subjects: dict[tuple[OrganisationId, str], NewSubject] = field(
        default_factory=dict[tuple[OrganisationId, str], NewSubject]
    )
    deployed: list[NewDeployment] = field(default_factory=list[NewDeployment])
    ended: dict[int, datetime] = field(default_factory=dict[int, datetime])

    def count(self, outcome: str) -> int:
        """Count lines by what came of them."""
        return sum(each == outcome for each in self.outcomes.values())


def plan_register(entries: Iterable[DeviceEntry], known: Known) -> Plan:
    """Hold lines against the register."""
    listed = list(entries)
    named = {(entry.organisation, entry.external_id) for entry in listed}
    plan = Plan()
    lines: dict[DeviceName, int] = {}
    for entry in listed:
        wrong = _wrong(entry, known) or _wrong_gateway(entry, known, named)
        if wrong is not None:
            plan.errors.append(LineError(entry.line, wrong))
            continue
        name = (known.organisations[entry.organisation], entry.external_id)
        if name in lines:
            said = f"device {entry.external_id!r} of {entry.organisation!r} is in line {lines[name]} already"
            plan.errors.append(LineError(entry.line, said))
            continue
        lines[name] = entry.line
        _plan_device(plan, entry, name, known)
        if entry.subject is not None:
            _plan_deployment(plan, entry, name, known)
    return plan


def _wrong(entry: DeviceEntry, known: Known) -> str | None:
    organisation = known.organisations.get(entry.organisation)
    if organisation is None:
        return f"no organisation {entry.organisation!r} (make it with `veldwatch register organisation`)"
    if entry.profile is not None and entry.profile not in known.profiles:
        return f"no profile {entry.profile!r} (list them with `veldwatch register profiles list`)"
    if entry.site is not None and (organisation, entry.site) not in known.sites:
        return f"no site {entry.site!r} of {entry.organisation!r} (make it with `veldwatch register site`)"
    if entry.since is not None and entry.until is not None and entry.until <= entry.since:
        return f"bad deployed_until: {entry.until.isoformat()} (expected a time after {entry.since.isoformat()})"
    if entry.subject is None and (entry.since, entry.until, entry.species, entry.subject_kind) != (None,) * 4:
        return "a deployment without a subject (expected the slug of what the device is on)"
    return None


def _wrong_gateway(entry: DeviceEntry, known: Known, named: Collection[tuple[str, str]]) -> str | None:
    if entry.gateway is None:
        return None
    if entry.gateway == entry.external_id:
        return f"bad gateway: {entry.gateway!r} (expected another device than itself)"
    organisation = known.organisations[entry.organisation]
    if (organisation, entry.gateway) in known.devices or (entry.organisation, entry.gateway) in named:
        return None
    return f"no device {entry.gateway!r} of {entry.organisation!r} (expected the external id of a gateway)"


def _plan_device(plan: Plan, entry: DeviceEntry, name: DeviceName, known: Known) -> None:
    standing = known.devices.get(name)
    before = None if standing is None else standing[1]
    wanted = _row(entry, name, known, before)
    if standing is None:
        plan.created[name] = wanted
        plan.outcomes[entry.line] = "created"
    elif wanted != before:
        plan.changed[standing[0]] = wanted
        plan.outcomes[entry.line] = "changed"
    else:
        plan.outcomes[entry.line] = "unchanged"
    if wanted.dependants != (NOBODY_SAID if before is None else before.dependants):
        plan.estimated.add(name[0])


def _row(entry: DeviceEntry, name: DeviceName, known: Known, standing: DeviceRow | None) -> DeviceRow:
    kept = standing or DeviceRow(entry.external_id, None, None, DEFAULT_SOURCE, DeviceStatus.ACTIVE, None, None, ())
    # To register a device by name confirms one that was pending.
    status = DeviceStatus.ACTIVE if kept.status == DeviceStatus.PENDING else kept.status
    return DeviceRow(
        name=kept.name if entry.name is None else entry.name,
        profile_id=kept.profile_id if entry.profile is None else known.profiles[entry.profile],
        site_id=kept.site_id if entry.site is None else known.sites[name[0], entry.site],
        source=kept.source if entry.source is None else entry.source,
        status=status if entry.status is None else entry.status,
        longitude=kept.longitude if entry.longitude is None else entry.longitude,
        latitude=kept.latitude if entry.latitude is None else entry.latitude,
        tags=kept.tags if entry.tags is None else entry.tags,
        gateway=kept.gateway if entry.gateway is None else entry.gateway,
        people=kept.people if entry.people is None else entry.people,
        customers=kept.customers if entry.customers is None else entry.customers,
        supplies_site=kept.supplies_site if entry.supplies_site is None else entry.supplies_site,
    )


def _plan_deployment(plan: Plan, entry: DeviceEntry, name: DeviceName, known: Known) -> None:
    assert entry.subject is not None  # noqa: S101  # the caller has looked
    device = known.devices.get(name)
    standing = known.deployments.get(device[0], ()) if device is not None else ()
    same = next((each for each in standing if _is_same(each, entry)), None)
    if same is not None:
        if entry.until is not None and entry.until != same.until:
            plan.ended[same.id] = entry.until
            plan.outcomes[entry.line] = "changed"
        return
    taken = next((each for each in standing if _overlaps(each, entry)), None)
    if taken is not None:
        plan.errors.append(
            LineError(
                entry.line,
                f"device {entry.external_id!r} is on subject {taken.subject!r} from {_shown(taken.since)} to"
                f" {_shown(taken.until)} (deployment {taken.id}; end or move it first)",
            )
        )
        return
    subject = (name[0], entry.subject)
    if subject not in known.subjects:
        kind = entry.subject_kind or ("animal" if entry.species else "service_point")
        plan.subjects[subject] = NewSubject(name[0], entry.subject, kind, entry.species)
    plan.deployed.append(NewDeployment(name, entry.subject, entry.since, entry.until))
    if plan.outcomes[entry.line] == "unchanged":
        plan.outcomes[entry.line] = "changed"


def _is_same(standing: StandingDeployment, entry: DeviceEntry) -> bool:
    """A line without a beginning means the deployment that lasts."""
    if standing.subject != entry.subject:
        return False
    return standing.since == entry.since or (entry.since is None and standing.until in (None, entry.until))


def _overlaps(standing: StandingDeployment, entry: DeviceEntry) -> bool:
    begins_before = entry.until is None or standing.since is None or standing.since < entry.until
    ends_after = entry.since is None or standing.until is None or standing.until > entry.since
    return begins_before and ends_after


def _shown(moment: datetime | None) -> str:
    return "ever" if moment is None else moment.isoformat()
