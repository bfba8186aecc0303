"""Options of a source."""

import msgspec
import pytest

from veldwatch.errors import ConfigurationInvalid
from veldwatch.wire.options import read_options


class _Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    time_zone: str
    limit: int = 3


def test_options_become_the_decoders_own_struct() -> None:
    assert read_options(_Options, {"time_zone": "Africa/Lusaka"}) == _Options(time_zone="Africa/Lusaka")


@pytest.mark.parametrize("given", [{}, {"time_zone": 2}, {"time_zone": "UTC", "timezone": "UTC"}])
def test_a_wrong_option_is_refused_with_what_is_known(given: dict[str, object]) -> None:
    with pytest.raises(ConfigurationInvalid, match="known are time_zone, limit"):
        read_options(_Options, given)
