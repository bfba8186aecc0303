"""Profiles and species: GET, PUT and DELETE /v1/profiles, and GET and PUT /v1/species.

They are everybody's, so changes are for operators of all organisations; whoever operates devices may give them one.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.access import Operator, UnscopedOperator, Viewer
from api.models.profiles import Assigned, Assignment, Profile, Species, SpeciesBody
from api.pages import Page, Slug, build_page, decode_cursor
from api.parameters import Paging
from api.parts import Shared
from veldwatch.errors import RequestInvalid
from veldwatch.model.register import Species as SpeciesEntry
from veldwatch.storage import profiles
from veldwatch.storage.pool import Row
from veldwatch.storage.profiles import ProfileTarget
from veldwatch.wire.profile_document import ProfileDocument

router = APIRouter(prefix="/v1/profiles", tags=["register"])
species_router = APIRouter(prefix="/v1/species", tags=["register"])

Named = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


@router.get("")
def read_profiles(parts: Shared, bearer: Viewer, ask: Annotated[Paging, Query()]) -> Page[Profile]:
    """List profiles by slug, each with its metrics."""
    after = "" if ask.cursor is None else decode_cursor(ask.cursor, Slug)
    with parts.pool.lend() as connection:
        rows = profiles.list_profiles(connection, bearer.scope, after=after, limit=ask.limit + 1)
    return build_page(Profile, [_shown(row) for row in rows], ask.limit, lambda row: row["slug"])


@router.get("/{profile}")
def read_profile(parts: Shared, bearer: Viewer, profile: Named) -> Profile:
    """Give one profile."""
    with parts.pool.lend() as connection:
        return Profile.model_validate(_shown(profiles.get_profile(connection, bearer.scope, profile)))


@router.put("/{profile}")
def put_profile(parts: Shared, bearer: UnscopedOperator, profile: Named, body: ProfileDocument) -> Profile:
    """Make a profile exactly what is said; series of its devices follow, and intake with its next batch."""
    if body.slug != profile:
        raise RequestInvalid(f"bad slug: {body.slug!r} (expected {profile!r}, as in the address)")
    with parts.pool.lend() as connection:
        profiles.replace_profile(connection, body.profile())
        return Profile.model_validate(_shown(profiles.get_profile(connection, bearer.scope, profile)))


@router.delete("/{profile}", status_code=204)
def delete_profile(parts: Shared, bearer: UnscopedOperator, profile: Named) -> None:
    """Forget a profile that no device has."""
    del bearer
    with parts.pool.lend() as connection:
        profiles.delete_profile(connection, profile)


@router.post("/{profile}/assign")
def assign_profile(parts: Shared, bearer: Operator, profile: Named, body: Assignment) -> Assigned:
    """Give a profile to devices; existing series take kind, register width and, if they had none, unit from it."""
    target = ProfileTarget(
        organisation=body.organisation,
        devices=None if body.devices is None else tuple(body.devices),
        source=body.source,
        tag=body.tag,
        without_profile=body.without_profile,
    )
    if (target.organisation, target.devices, target.source, target.tag) == (None,) * 4:
        raise RequestInvalid("which devices? (expected devices, organisation, source or tag)")
    with parts.pool.lend() as connection:
        return Assigned(devices=profiles.apply_profile(connection, profile, target, bearer.scope))


@species_router.get("")
def read_species(parts: Shared, bearer: Viewer, ask: Annotated[Paging, Query()]) -> Page[Species]:
    """List species by scientific name."""
    del bearer
    after = "" if ask.cursor is None else decode_cursor(ask.cursor, Slug)
    with parts.pool.lend() as connection:
        rows = profiles.list_species(connection, after=after, limit=ask.limit + 1)
    return build_page(Species, rows, ask.limit, lambda row: row["name"])


@species_router.put("/{species}")
def put_species(
    parts: Shared,
    bearer: UnscopedOperator,
    species: Annotated[str, Path(max_length=256, pattern=r"^[^\x00]+$")],
    body: SpeciesBody,
) -> Species:
    """Say how fast a species can be; fixes are judged by it whenever they are read, those of the past too."""
    del bearer
    entry = SpeciesEntry(
        name=species, common_name=body.common_name or "", maximum_speed=body.maximum_speed, source=body.source
    )
    with parts.pool.lend() as connection:
        profiles.ensure_species(connection, entry)
    return Species(
        name=entry.name, common_name=entry.common_name, maximum_speed=entry.maximum_speed, source=entry.source
    )


def _shown(row: Row) -> Row:
    interval = row["expected_interval"]
    return {**row, "expected_interval": None if interval is None else interval.total_seconds()}
