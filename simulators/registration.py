"""Writing a scenario's organisations, sites, profiles, devices and animals to the register; again changes nothing.

Devices go as one list, whatever their number: 100,000 take some seconds.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from simulators.profiles import profiles_by_slug
from simulators.scenario import DeviceDependants, DevicePlan, ProfilePlan, Scenario, SitePlan
from veldwatch.errors import Conflict
from veldwatch.model.identifiers import OrganisationId, SiteId
from veldwatch.model.register import DeviceStatus, Profile, ProfileMetric, Site, Subject
from veldwatch.model.register_plan import DeviceEntry
from veldwatch.model.simulation import MODEL_TAG
from veldwatch.storage.bulk_register import register_devices
from veldwatch.storage.connection import Connection
from veldwatch.storage.dependants import Initial, say_initially
from veldwatch.storage.profiles import find_profiles
from veldwatch.storage.register import ensure_organisation, ensure_profile, ensure_site, ensure_subject

SIMULATED = "simulated"
"""The tag that every simulated device carries: whoever reads the register can tell it from hardware, and the demo's
rules can leave real devices out."""

_SOURCE = "veldwatch"
# One time for every registration, before anything simulated: the same deployment each time.
_DEPLOYED = datetime(2000, 1, 1, tzinfo=UTC)
_SHOWN = 3
_NOBODY_SAID = DeviceDependants()


def register(connection: Connection, scenario: Scenario) -> int:
    """Bring the register to what a scenario says, all or none; returns the number of devices.

    Raises:
        Conflict: a collar is on another animal in the register.
    """
    with connection.transaction():
        organisations = {
            plan.slug: ensure_organisation(connection, plan.slug, plan.name, plan.kind)
            for plan in scenario.organisations
        }
        _profiles(connection, scenario)
        sites: dict[tuple[str, str], SiteId] = {}
        for plan in scenario.sites:
            parent = None if plan.parent is None else sites[plan.organisation, plan.parent]
            sites[plan.organisation, plan.slug] = ensure_site(
                connection, _site(plan, organisations[plan.organisation], parent)
            )
        for subject in _subjects(scenario.devices, organisations):
            ensure_subject(connection, subject)
        done = register_devices(connection, list(_entries(scenario)))
        if done.errors:
            shown = "; ".join(f"{scenario.devices[line].id}: {detail}" for line, detail in done.errors[:_SHOWN])
            raise Conflict(f"{len(done.errors)} devices of {scenario.name!r} were not registered ({shown})")
        _impact(connection, scenario)
    return len(scenario.devices)


def _impact(connection: Connection, scenario: Scenario) -> None:
    """Say what things cost and who depends on sites, where nobody has said anything else in the register."""
    for plan in scenario.organisations:
        tariffs = plan.tariffs
        sites = {
            site.slug: (site.dependants.people, site.dependants.customers)
            for site in scenario.sites
            if site.organisation == plan.slug and site.dependants is not None
        }
        said = Initial(
            organisation=plan.slug,
            currency=None if tariffs is None else tariffs.currency,
            water_tariff=None if tariffs is None else tariffs.water,
            energy_tariff=None if tariffs is None else tariffs.energy,
            sites=sites,
        )
        say_initially(connection, said, datetime.now(UTC))


def _profiles(connection: Connection, scenario: Scenario) -> None:
    """Make the profiles that are missing; those that are there stay: other devices have them too, adapted or not."""
    own = {plan.slug: plan for plan in scenario.profiles}
    wanted = {device.profile for device in scenario.devices} | set(own)
    for slug in sorted(wanted - set(find_profiles(connection, wanted))):
        ensure_profile(connection, _profile(own[slug]) if slug in own else profiles_by_slug()[slug])


def _profile(plan: ProfilePlan) -> Profile:
    seconds = plan.expected_interval_seconds
    return Profile(
        slug=plan.slug,
        name=plan.name,
        kind=plan.kind,
        expected_interval=None if seconds is None else timedelta(seconds=seconds),
        metrics=tuple(
            ProfileMetric(
                metric=metric.metric,
                unit=metric.unit,
                kind=metric.kind,
                register_modulus=None if metric.register_digits is None else 10.0**metric.register_digits,
                minimum=metric.minimum,
                maximum=metric.maximum,
            )
            for metric in plan.metrics
        ),
    )


def _site(plan: SitePlan, organisation_id: OrganisationId, parent_id: SiteId | None) -> Site:
    return Site(
        organisation_id=organisation_id,
        slug=plan.slug,
        name=plan.name,
        kind=plan.kind,
        parent_id=parent_id,
        geometry=plan.geometry.model_dump(mode="json"),
    )


def _subjects(devices: Sequence[DevicePlan], organisations: dict[str, OrganisationId]) -> Iterator[Subject]:
    for plan in devices:
        if plan.subject is not None:
            yield Subject(
                organisation_id=organisations[plan.organisation],
                slug=plan.subject.slug,
                name=plan.subject.name,
                kind=plan.subject.kind,
                species=plan.subject.species,
            )


def _entries(scenario: Scenario) -> Iterator[DeviceEntry]:
    kinds = {profile.slug: profile.kind for profile in (*profiles_by_slug().values(), *scenario.profiles)}
    for line, plan in enumerate(scenario.devices):
        # A tracker's place is its home: the register says where devices are installed, and a tracker is not.
        said = plan.dependants or _NOBODY_SAID
        longitude, latitude = (None, None) if kinds[plan.profile] == "tracker" else plan.place or (None, None)
        yield DeviceEntry(
            line=line,
            organisation=plan.organisation,
            external_id=plan.id,
            source=_SOURCE,
            name=plan.name,
            profile=plan.profile,
            site=plan.site,
            status=DeviceStatus.ACTIVE,
            longitude=longitude,
            latitude=latitude,
            gateway=plan.gateway,
            people=said.people,
            customers=said.customers,
            supplies_site=said.supplies_site or None,
            tags=(*plan.tags, SIMULATED, f"{MODEL_TAG}{plan.model}"),
            subject=None if plan.subject is None else plan.subject.slug,
            since=None if plan.subject is None else _DEPLOYED,
        )
