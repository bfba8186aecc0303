"""Profiles and species: kinds of devices and of animals, and giving a profile to devices that are registered.

Each call takes part in the caller's transaction. Series take kind, register width and (if they had none) unit from
their device's profile; a width is kept in the series' own unit.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from veldwatch.errors import Conflict, MessageRejected, NotFound
from veldwatch.model.identifiers import DeviceId, ProfileId
from veldwatch.model.register import Profile, ProfileMetric, Species
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.pool import Row, fetch_rows
from veldwatch.storage.queries import load_queries
from veldwatch.wire.units import conversion

_QUERIES = load_queries("profiles")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileTarget:
    """Which devices get a profile; every part that is given must fit.

    Attributes:
        devices: external ids.
        without_profile: only those that have none yet.
    """

    organisation: str | None = None
    devices: tuple[str, ...] | None = None
    source: str | None = None
    tag: str | None = None
    without_profile: bool = False


def replace_profile(connection: Connection, profile: Profile) -> ProfileId:
    """Make a profile exactly what is said; series of its devices follow."""
    with connection.transaction(), translated_errors():
        row = connection.execute(_QUERIES["replace"], profile_values(profile)).fetchone()
        assert row is not None  # noqa: S101  # INSERT ... ON CONFLICT DO UPDATE gives a row always
        profile_id = ProfileId(row[0])
        set_metrics(connection, profile_id, profile.metrics)
    return profile_id


def set_metrics(connection: Connection, profile_id: ProfileId, metrics: Sequence[ProfileMetric]) -> None:
    """Make a profile's metrics exactly those, and let series of its devices follow."""
    values: dict[str, object] = {
        "profile_id": profile_id,
        "metrics": [metric.metric for metric in metrics],
        "units": [metric.unit for metric in metrics],
        "kinds": [metric.kind for metric in metrics],
        "moduli": [metric.register_modulus for metric in metrics],
        "minima": [metric.minimum for metric in metrics],
        "maxima": [metric.maximum for metric in metrics],
        "sources": [metric.range_source for metric in metrics],
        "resolutions": [metric.resolution for metric in metrics],
        "rates": [metric.maximum_per_hour for metric in metrics],
    }
    with translated_errors():
        connection.execute(_QUERIES["forget_metrics"], values)
        connection.execute(_QUERIES["ensure_metrics"], values)
    adopt_profile(connection, (), profile_id)


def adopt_profile(connection: Connection, devices: Collection[DeviceId], profile_id: ProfileId | None = None) -> None:
    """Give series of some devices, or of all of a profile, what their device's profile says of them."""
    asked: dict[str, object] = {"device_ids": list(devices), "profile_id": profile_id}
    with translated_errors():
        pairs = connection.execute(_QUERIES["units_to_adopt"], asked).fetchall()
        factors = [_factor(profile_unit, unit) for unit, profile_unit in pairs]
        values = {
            "units": [unit for unit, _ in pairs],
            "profile_units": [profile_unit for _, profile_unit in pairs],
            "factors": factors,
        }
        connection.execute(_QUERIES["adopt"], asked | values)


def apply_profile(connection: Connection, slug: str, target: ProfileTarget, scope: int | None = None) -> int:
    """Give a profile to devices that are registered, and tell how many those were.

    Args:
        scope: the one organisation whose devices may be changed; None: all.

    Raises:
        NotFound: no such profile.
    """
    found = find_profiles(connection, [slug])
    if slug not in found:
        raise NotFound(f"no profile {slug!r} (list them with `veldwatch register profiles`)")
    devices = None if target.devices is None else list(target.devices)
    values = asdict(target) | {"devices": devices, "profile_id": found[slug], "scope": scope}
    with connection.transaction(), translated_errors():
        changed = [DeviceId(row[0]) for row in connection.execute(_QUERIES["apply"], values).fetchall()]
        adopt_profile(connection, changed)
    return len(changed)


def find_profiles(connection: Connection, slugs: Collection[str]) -> dict[str, ProfileId]:
    """Look profiles up, slug to id; what does not exist is not in the result."""
    with translated_errors():
        rows = connection.execute(_QUERIES["find"], {"slugs": list(slugs)}).fetchall()
    return {slug: ProfileId(number) for slug, number in rows}


def list_profiles(
    connection: Connection, scope: int | None = None, *, slug: str | None = None, after: str = "", limit: int = 1000
) -> list[Row]:
    """List profiles by slug, each with `metrics` and the number of `devices` that the asker may see."""
    values = {"scope": scope, "slug": slug, "after": after, "limit": limit}
    return fetch_rows(connection, _QUERIES["list"], values)


def get_profile(connection: Connection, scope: int | None, slug: str) -> Row:
    """Give one profile.

    Raises:
        NotFound: there is none.
    """
    rows = list_profiles(connection, scope, slug=slug, limit=1)
    if not rows:
        raise NotFound(f"no profile {slug!r} (list them with GET /v1/profiles)")
    return rows[0]


def delete_profile(connection: Connection, slug: str) -> None:
    """Remove a profile.

    Raises:
        NotFound: there is none.
        Conflict: devices have it.
    """
    if slug not in find_profiles(connection, [slug]):
        raise NotFound(f"no profile {slug!r} (list them with GET /v1/profiles)")
    with translated_errors():
        gone = connection.execute(_QUERIES["delete"], {"slug": slug}).fetchone()
    if gone is None:
        raise Conflict(f"profile {slug!r} is that of some devices (give them another one first)")


def list_species(connection: Connection, *, name: str | None = None, after: str = "", limit: int = 1000) -> list[Row]:
    """List species by scientific name."""
    return fetch_rows(connection, _QUERIES["species"], {"name": name, "after": after, "limit": limit})


def ensure_species(connection: Connection, species: Species) -> None:
    """Make a species exactly what is said."""
    with translated_errors():
        connection.execute(_QUERIES["ensure_species"], asdict(species))


def profile_values(profile: Profile) -> dict[str, object]:
    """Give what the statements take of a profile itself."""
    return {name: value for name, value in asdict(profile).items() if name != "metrics"}


def _factor(unit: str, wanted: str) -> float | None:
    """Give what one of a unit is in another; None: nothing, or something that a zero is not nothing of."""
    try:
        found = conversion(unit, wanted)
    except MessageRejected:
        return None
    return None if found.offset else found.numerator / found.denominator
