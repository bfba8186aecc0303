"""Normal draws in pairs, east and north, at the price of one hash."""

from collections.abc import Sequence

import numpy as np

from simulators.chance import Chance, Floats


class Normals:
    """Pairs of independent normal draws for n things.

    Args:
        seed: the run's.
        names: what tells the n things apart.
    """

    def __init__(self, seed: int, names: Sequence[str]) -> None:
        self._chance = Chance(seed, [f"{name}:{part}" for part in ("radius", "angle") for name in names])

    def draw(self, what: str, number: int = 0) -> Floats:
        """Draw 2 x n numbers of mean 0 and standard deviation 1."""
        return normals(*self._chance.uniform(what, number).reshape(2, -1))


def normals(one: Floats, other: Floats) -> Floats:
    """Turn two uniform draws for n things into 2 x n normal ones."""
    # Source: Box and Muller 1958, both of each pair. 1 - u is never 0.
    radius, angle = np.sqrt(-2.0 * np.log(1.0 - one)), 2.0 * np.pi * other
    return np.array((radius * np.cos(angle), radius * np.sin(angle)))
