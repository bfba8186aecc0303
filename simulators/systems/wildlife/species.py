"""What is published about each species: range, daily way, rhythm of the day, speeds.

Numbers are those of typical animals, which is what one animal of a scenario is unless its settings say otherwise.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Species:
    """One species.

    Attributes:
        home_range_square_kilometres: area in which it spends 95 % of its time.
        daily_kilometres: mean length of a day's way, with all its bends; hourly fixes show a fifth or so less of it.
        velocity_seconds: over which its velocity is correlated while it moves. Assumed.
        walking: metres a second, at its usual gait.
        running: metres a second, at most.
        rhythm: how active it is in each hour of the local day, the first at midnight; only ratios count.
        moving_share: of the time in which it might move, how much it does.
        resting_pace: how fast it drifts while it rests, as a share of its mean pace.
        is_fenced: a fence stops it.
        canopy: how much of what covers it a receiver has to look through, 0 to 1.
    """

    home_range_square_kilometres: float
    daily_kilometres: float
    velocity_seconds: float
    walking: float
    running: float
    rhythm: tuple[float, ...]
    moving_share: float
    resting_pace: float
    is_fenced: bool = True
    canopy: float = 1.0

    @property
    def home_radius_metres(self) -> float:
        """Return the radius of its home range, taken as a circle."""
        return math.sqrt(self.home_range_square_kilometres * 1e6 / math.pi)


SPECIES: Mapping[str, Species] = MappingProxyType(
    {
        # Range: Ngene et al. 2009 (Marsabit, GPS collars): 260 km2 in dry seasons, 910 km2 in wet ones. Way: Ngene,
        # Skidmore, van Gils, "Walk or stride?" (the same herds): 180 to 250 m in an hour. Running: Hutchinson et al.
        # 2003, Nature 422:493: 6.8 m/s. Rhythm: the same herds stride at 7 to 10 and at 19 to 22. Rest: Gravett et al.
        # 2017, PLoS ONE 12:e0171903: two hours of sleep a day, before dawn.
        "elephant": Species(
            home_range_square_kilometres=260.0,
            daily_kilometres=6.0,
            velocity_seconds=2400.0,
            walking=1.3,
            running=6.8,
            rhythm=(
                0.8, 0.6, 0.4, 0.35, 0.4, 0.7, 1.1, 1.5, 1.5, 1.4, 1.1, 0.9,
                0.8, 0.8, 0.8, 0.9, 1.0, 1.2, 1.3, 1.5, 1.5, 1.3, 1.1, 1.0,
            ),
            moving_share=0.7,
            resting_pace=0.15,
        ),
        # Black rhinoceros. Range: Lent and Fike 2003, South African Journal of Wildlife Research 33: mean 11.7 km2.
        # Way: assumed from displacements of 1 to 3 km in 24 h (Seidel et al. 2019, Movement Ecology 7:34). Rhythm: the
        # same: forages at dusk, at night and at dawn, rests at midday and at midnight. Running: 50 km/h (Kapama
        # Game Reserve, as in the species table), over more than a few lengths 12 m/s, assumed.
        "rhino": Species(
            home_range_square_kilometres=11.7,
            daily_kilometres=4.0,
            velocity_seconds=1800.0,
            walking=1.1,
            running=12.0,
            rhythm=(
                0.7, 0.8, 1.0, 1.2, 1.4, 1.7, 1.8, 1.6, 1.2, 0.8, 0.5, 0.3,
                0.25, 0.25, 0.3, 0.5, 0.9, 1.5, 1.8, 1.7, 1.4, 1.1, 0.8, 0.7,
            ),
            moving_share=0.55,
            resting_pace=0.2,
        ),
        # Range: from less than 85 km2 in a fenced reserve (Lehmann et al. 2008, PLoS ONE 3:e3998) to 4,314 km2 (Zehnder
        # et al. 2018, Zoology 128). Way and rhythm: Stander, Desert Lion Project, Namibia 2005 and 2009: 8.3 +- 5.8 km
        # a night by fixes two hours apart, from before sunset to 10 h; all still by 11 h. Running: Elliott, Cowan,
        # Holling 1977, Canadian Journal of Zoology 55: 14 m/s.
        "lion": Species(
            home_range_square_kilometres=150.0,
            daily_kilometres=10.5,
            velocity_seconds=1800.0,
            walking=1.2,
            running=14.0,
            rhythm=(
                1.7, 1.6, 1.5, 1.5, 1.6, 1.7, 1.6, 1.6, 1.1, 0.6, 0.3, 0.12,
                0.1, 0.1, 0.1, 0.12, 0.3, 0.9, 1.9, 2.2, 1.6, 1.3, 1.5, 1.8,
            ),
            moving_share=0.3,
            resting_pace=0.15,
        ),
        # African wild dog. Range: Andreka et al. 1999 (Hluhluwe-Umfolozi): 218 km2. Way and rhythm: Creel and Creel
        # 2002, "The African Wild Dog": about 10 km a day, in a hunt each around dawn and dusk; dispersers up to 54 km
        # (Cozzi et al. 2020). Running: 66 km/h.
        "wild_dog": Species(
            home_range_square_kilometres=218.0,
            daily_kilometres=10.0,
            velocity_seconds=1200.0,
            walking=2.2,
            running=18.0,
            rhythm=(
                0.5, 0.4, 0.4, 0.5, 1.0, 2.6, 3.6, 3.2, 1.6, 0.6, 0.25, 0.2,
                0.2, 0.2, 0.2, 0.3, 1.0, 2.8, 3.4, 2.4, 1.0, 0.6, 0.5, 0.5,
            ),
            moving_share=0.4,
            resting_pace=0.15,
        ),
        # White-backed vulture. Range: an adult's, assumed; of immature birds: Phipps et al. 2013, PLoS ONE 8:e52813:
        # 269,103 +- 197,187 km2 (convex polygons). Way: Kendall (Peregrine Fund): up to 100 km a day, over 100 km/h.
        # Walking: its cross-country speed, Pennycuick 1972, Ibis 114: 45 km/h. Rhythm: soars from two hours after
        # sunrise, as long as there are thermals; perches at night, and does not move at all.
        "vulture": Species(
            home_range_square_kilometres=20_000.0,
            daily_kilometres=60.0,
            velocity_seconds=1800.0,
            walking=12.5,
            running=30.0,
            rhythm=(
                0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.2, 1.0, 1.6, 1.9, 2.0,
                2.0, 2.0, 1.9, 1.6, 1.0, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
            ),
            moving_share=0.2,
            resting_pace=0.0,
            is_fenced=False,
            canopy=0.2,
        ),
    }
)  # fmt: skip
