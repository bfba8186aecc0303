"""Writing a scenario's organisations, sites, profiles, devices and animals to the register; again changes nothing."""

from datetime import UTC, datetime, timedelta

from simulators.scenario import CollarPlan, FixedPlan, ProfilePlan, Scenario, SitePlan
from veldwatch.model.identifiers import OrganisationId, ProfileId, SiteId
from veldwatch.model.register import Device, DeviceStatus, Profile, ProfileMetric, Site, Subject
from veldwatch.storage.connection import Connection
from veldwatch.storage.register import (
    deploy,
    ensure_device,
    ensure_organisation,
    ensure_profile,
    ensure_site,
    ensure_subject,
)

_SOURCE = "veldwatch"
# One time for every registration, before anything simulated: the same deployment each time.
_DEPLOYED = datetime(2020, 1, 1, tzinfo=UTC)


SIMULATED = "simulated"
"""The tag that every simulated device carries."""


def register(connection: Connection, scenario: Scenario) -> int:
    """Bring the register to what a scenario says, all or none; returns the number of devices."""
    with connection.transaction():
        organisations = {
            plan.slug: ensure_organisation(connection, plan.slug, plan.name, plan.kind)
            for plan in scenario.organisations
        }
        profiles = {plan.slug: ensure_profile(connection, _profile(plan)) for plan in scenario.profiles}
        sites: dict[tuple[str, str], SiteId] = {}
        for plan in scenario.sites:
            parent = None if plan.parent is None else sites[plan.organisation, plan.parent]
            sites[plan.organisation, plan.slug] = ensure_site(
                connection, _site(plan, organisations[plan.organisation], parent)
            )
        for plan in scenario.devices:
            site_id = sites[plan.organisation, plan.site]
            _device(connection, plan, organisations[plan.organisation], profiles[plan.profile], site_id)
    return len(scenario.devices)


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


def _device(
    connection: Connection,
    plan: FixedPlan | CollarPlan,
    organisation_id: OrganisationId,
    profile_id: ProfileId,
    site_id: SiteId,
) -> None:
    place = plan.place if isinstance(plan, FixedPlan) else None
    device_id = ensure_device(
        connection,
        Device(
            organisation_id=organisation_id,
            external_id=plan.id,
            source=_SOURCE,
            name=plan.name,
            profile_id=profile_id,
            site_id=site_id,
            status=DeviceStatus.ACTIVE,
            longitude=None if place is None else place[0],
            latitude=None if place is None else place[1],
            # Whoever reads the register can tell it from hardware, and the demo's rules can leave real devices out.
            tags=(*plan.tags, SIMULATED),
        ),
    )
    if isinstance(plan, CollarPlan):
        subject = Subject(
            organisation_id=organisation_id,
            slug=plan.subject.slug,
            name=plan.subject.name,
            kind=plan.subject.kind,
            species=plan.subject.species,
        )
        deploy(connection, device_id, ensure_subject(connection, subject), _DEPLOYED)
