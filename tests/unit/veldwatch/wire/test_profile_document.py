"""Profiles as operators write them."""

from datetime import timedelta

import pytest

from veldwatch.errors import ConfigurationInvalid
from veldwatch.wire.profile_document import bundled_profiles, read_profiles
from veldwatch.wire.units import is_known

METER = """
slug: meter
name: Meter
kind: meter
expected_interval: 15m
metrics:
  - {metric: volume, unit: m³, kind: counter, register_digits: 5}
  - {metric: litres, unit: L, kind: counter, register_digits: 5, register_unit: m3}
  - {metric: energy, unit: kWh, kind: counter, register_modulus: 4294967296, register_unit: Wh}
  - {metric: pressure, unit: bar, minimum: -1, maximum: 16, range_source: data sheet}
"""


def test_a_width_is_kept_in_the_metrics_own_unit() -> None:
    (profile,) = read_profiles(METER)
    assert profile.expected_interval == timedelta(minutes=15)
    assert [metric.register_modulus for metric in profile.metrics] == [1e5, 1e8, 4294967.296, None]
    assert profile.metrics[0].unit == "m3"
    assert (profile.metrics[3].minimum, profile.metrics[3].range_source) == (-1, "data sheet")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("expected_interval: 15m", "expected_interval: often"), "profile 'meter'"),
        (("unit: bar", "unit: bananas"), "unknown unit 'bananas'"),
        (("minimum: -1", "minimum: 17"), "minimum 17 is above maximum 16"),
        (("unit: bar", "unit: bar, register_digits: 5"), "a gauge has no register"),
        (("register_unit: Wh", "register_unit: m3"), "measure different things"),
        (("register_digits: 5}", "register_digits: 5, register_modulus: 7}"), "expected one of them"),
        (("metric: pressure", "metric: volume"), r"metrics \['volume'\] are there twice"),
        (("slug: meter", "slug: No slug"), "slug"),
        (("kind: meter", "kind: meter\nspeed: 9"), "speed"),
        (("slug: meter", "slug: [meter"), "not YAML"),
    ],
)
def test_what_is_wrong_is_named(change: tuple[str, str], said: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=said):
        read_profiles(METER.replace(*change, 1))


def test_something_else_than_a_profile_is_refused() -> None:
    with pytest.raises(ConfigurationInvalid):
        read_profiles("- 5")


def test_bundled_profiles_have_known_units_and_say_where_their_ranges_come_from() -> None:
    profiles = bundled_profiles()
    assert len({profile.slug for profile in profiles}) == len(profiles) >= 12
    for profile in profiles:
        assert profile.expected_interval is not None
        for metric in profile.metrics:
            assert is_known(metric.unit)
            assert metric.minimum is not None
            assert metric.maximum is not None
            assert metric.range_source
            assert (metric.kind == "counter") == (metric.register_modulus is not None)
