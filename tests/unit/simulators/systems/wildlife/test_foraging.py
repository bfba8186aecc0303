"""The foraging process is the one of the paper, in steps of any length."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.chance import Floats
from simulators.systems.wildlife.foraging import HOME_RADII, Pace, Transition, pace_for, transition

_WALKERS = 40_000
_SECONDS = st.floats(0.01, 1e6)


def _pace(metres: float = 100.0, home_seconds: float = 7200.0, velocity_seconds: float = 600.0) -> Pace:
    return Pace(
        metres=np.array([metres]), home_seconds=np.array([home_seconds]), velocity_seconds=np.array([velocity_seconds])
    )


def _mean(step: Transition) -> Floats:
    return np.array(
        [
            [step.place_from_place[0], step.place_from_velocity[0]],
            [step.velocity_from_place[0], step.velocity_from_velocity[0]],
        ]
    )


def _covariance(step: Transition) -> Floats:
    noise = np.array([[step.place_from_first[0], step.place_from_second[0]], [step.velocity_from_first[0], 0.0]])
    return noise @ noise.T


@pytest.mark.parametrize("seconds", [30.0, 600.0, 3600.0, 20_000.0])
def test_places_are_correlated_as_the_paper_says(seconds: float) -> None:
    draws = np.random.default_rng(1)
    pace, late, early = _pace(), np.exp(-seconds / 7200), np.exp(-seconds / 600)
    place = 100.0 * draws.standard_normal((2, _WALKERS))
    velocity = pace.speed * draws.standard_normal((2, _WALKERS))

    later, turned = transition(pace, np.array([seconds])).apply(
        place, velocity, draws.standard_normal((2, _WALKERS)), draws.standard_normal((2, _WALKERS))
    )

    assert later.std() == pytest.approx(100.0, rel=0.02)
    assert turned.std() == pytest.approx(pace.speed[0], rel=0.02)
    expected = (7200 * late - 600 * early) / (7200 - 600)
    assert (place * later).mean() / 100.0**2 == pytest.approx(expected, abs=0.02)
    expected = (7200 * early - 600 * late) / (7200 - 600)
    assert (velocity * turned).mean() / pace.speed[0] ** 2 == pytest.approx(expected, abs=0.02)


@given(_SECONDS, _SECONDS, st.floats(1.0, 50_000.0), st.floats(60.0, 1e6), st.floats(1.5, 1000.0))
def test_two_steps_are_in_law_one(first: float, second: float, metres: float, short: float, ratio: float) -> None:
    pace = _pace(metres, short * ratio, short)
    one, other = transition(pace, np.array([first])), transition(pace, np.array([second]))
    both = transition(pace, np.array([first + second]))
    scale = np.array([metres, pace.speed[0]])

    mean = _mean(other) @ _mean(one)
    covariance = _mean(other) @ _covariance(one) @ _mean(other).T + _covariance(other)

    units = scale[:, None] / scale[None, :]
    assert mean / units == pytest.approx(_mean(both) / units, abs=1e-9)
    assert covariance / np.outer(scale, scale) == pytest.approx(
        _covariance(both) / np.outer(scale, scale), rel=1e-3, abs=1e-9
    )


def test_no_time_changes_nothing() -> None:
    still = transition(_pace(), np.array([0.0]))

    assert _mean(still) == pytest.approx(np.eye(2), abs=1e-5)
    assert np.sqrt(np.abs(_covariance(still))).max() < 1e-3


@given(st.floats(50.0, 100_000.0), st.floats(0.01, 20.0), st.floats(60.0, 20_000.0))
def test_a_pace_has_the_radius_and_the_mean_speed_that_are_asked_for(
    radius: float, speed: float, velocity_seconds: float
) -> None:
    metres, home_seconds, short = pace_for(radius, speed, velocity_seconds)
    found = _pace(metres, home_seconds, short)

    assert metres * HOME_RADII == pytest.approx(radius)
    assert found.speed[0] * np.sqrt(np.pi / 2) == pytest.approx(speed)
    assert short <= velocity_seconds
    assert home_seconds >= 2.0 * short * (1.0 - 1e-9)
