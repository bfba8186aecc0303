"""Which geometries a condition on places is about: its own, or those of sites of an organisation."""

from collections.abc import Sequence

from veldwatch.model.conditions.kinds import Condition
from veldwatch.model.conditions.movement import Geofence, Near
from veldwatch.model.identifiers import OrganisationId
from veldwatch.model.watched import Watched


def shapes_of(condition: Condition, watched: Watched, organisation: OrganisationId) -> Sequence[str]:
    """Give the geometries of the sites that a condition names, as GeoJSON; empty: it names none, or they have none."""
    if not isinstance(condition, (Geofence, Near)):
        return []
    slugs = [] if condition.site is None else [condition.site]
    if condition.sites_of_kind is not None:
        slugs = [
            site.slug
            for site in watched.sites
            if site.organisation_id == organisation and site.kind == condition.sites_of_kind
        ]
    found = (watched.shapes.get((organisation, slug)) for slug in sorted(slugs))
    return [shape for shape in found if shape is not None]
