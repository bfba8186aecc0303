"""The profiles that come with Veldwatch, as scenarios name them: by slug, without writing them out."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from veldwatch.model.register import Profile
from veldwatch.wire.profile_document import bundled_profiles


@cache
def profiles_by_slug() -> Mapping[str, Profile]:
    """Read them, once."""
    return MappingProxyType({profile.slug: profile for profile in bundled_profiles()})
