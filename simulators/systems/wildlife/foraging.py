"""The Ornstein-Uhlenbeck foraging process: a place drawn home, with a velocity that lasts a while.

Per axis, dx = v dt, dv = -(1/p + 1/q) v dt - x / (p q) dt + noise: at rest the place has a variance of its own, and an
autocorrelation of (p exp(-t/p) - q exp(-t/q)) / (p - q). Steps are exact, so that many short ones are, in law, one long
one.

Source: Fleming et al. 2014, "From fine-scale foraging to home ranges", American Naturalist 183:E154 (also in ctmm).
"""

import math
from dataclasses import dataclass

import numpy as np

from simulators.chance import Floats

HOME_RADII = math.sqrt(-2.0 * math.log(0.05))
"""Standard deviations, along one axis, in the radius of the circle that holds 95 % of a round normal distribution."""
_SHORTEST_SECONDS = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What a process is like: arrays of one element a walker.

    Attributes:
        metres: standard deviation of its place along one axis.
        home_seconds: over which its place is correlated; longer than `velocity_seconds`.
        velocity_seconds: over which its velocity is correlated.
    """

    metres: Floats
    home_seconds: Floats
    velocity_seconds: Floats

    @property
    def speed(self) -> Floats:
        """Return the standard deviation of its velocity along one axis, in m/s."""
        return self.metres / np.sqrt(self.home_seconds * self.velocity_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """What becomes of place and velocity in a step, and what is added by chance: (place, velocity) from two normals."""

    place_from_place: Floats
    place_from_velocity: Floats
    velocity_from_place: Floats
    velocity_from_velocity: Floats
    place_from_first: Floats
    place_from_second: Floats
    velocity_from_first: Floats

    def apply(self, place: Floats, velocity: Floats, first: Floats, second: Floats) -> tuple[Floats, Floats]:
        """Return place and velocity after the step; all 2 x n."""
        moved = (
            self.place_from_place * place
            + self.place_from_velocity * velocity
            + self.place_from_first * first
            + self.place_from_second * second
        )
        turned = (
            self.velocity_from_place * place + self.velocity_from_velocity * velocity + self.velocity_from_first * first
        )
        return moved, turned


def pace_for(home_radius_metres: float, speed: float, velocity_seconds: float) -> tuple[float, float, float]:
    """Return metres, home and velocity seconds of a process.

    Args:
        home_radius_metres: of the circle with 95 % of its time.
        speed: mean of its absolute velocity, in m/s.
        velocity_seconds: shortened where the range is too small for it.
    """
    metres = home_radius_metres / HOME_RADII
    # The speed of a round normal velocity is Rayleigh distributed: its mean is sqrt(pi / 2) standard deviations.
    product = math.pi / 2.0 * (metres / speed) ** 2
    short = min(velocity_seconds, math.sqrt(product / 2.0))
    return metres, product / short, short


def transition(pace: Pace, seconds: Floats) -> Transition:
    """Solve the process over a step, exactly; seconds may be 0."""
    span = np.maximum(seconds, _SHORTEST_SECONDS)
    slow, fast = 1.0 / pace.home_seconds, 1.0 / pace.velocity_seconds
    apart, total, product = fast - slow, fast + slow, fast * slow
    late, early = np.exp(-slow * span), np.exp(-fast * span)
    reach = -late * np.expm1(-apart * span) / apart
    kept = (fast * early - slow * late) / apart
    # Integrals of the response to noise, squared, in forms that lose no digits when the step is short.
    slow_part, fast_part = -np.expm1(-2.0 * slow * span), -np.expm1(-2.0 * fast * span)
    both_part = -np.expm1(-total * span) / total
    density = 2.0 * total * product
    place = density * (slow_part / (2.0 * slow) - 2.0 * both_part + fast_part / (2.0 * fast)) / apart**2
    speed = density * (slow * slow_part / 2.0 - 2.0 * product * both_part + fast * fast_part / 2.0) / apart**2
    shared = density * reach**2 / 2.0
    first = np.sqrt(np.maximum(speed, 0.0))
    joint = shared / np.maximum(first, 1e-150)
    rest = np.sqrt(np.maximum(place - joint**2, 0.0))
    return Transition(
        place_from_place=(fast * late - slow * early) / apart,
        place_from_velocity=reach,
        velocity_from_place=-product * reach,
        velocity_from_velocity=kept,
        place_from_first=pace.metres * joint,
        place_from_second=pace.metres * rest,
        velocity_from_first=pace.metres * first,
    )
