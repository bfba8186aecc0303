import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulators.chance import Chance, key_of

NAMES = [f"town/meter-{number}" for number in range(4000)]
CHANCE = Chance(1, NAMES)


def test_uniform_draws_fill_the_unit_interval_evenly() -> None:
    draws = np.concatenate([CHANCE.uniform("use", number) for number in range(10)])
    assert 0.0 <= draws.min() < 0.001
    assert 0.999 < draws.max() < 1.0
    counts, _ = np.histogram(draws, bins=20, range=(0.0, 1.0))
    # Chi-squared with 19 degrees of freedom: above 50 once in 10,000 seeds.
    assert ((counts - 2000.0) ** 2 / 2000.0).sum() < 50


def test_draws_of_neighbouring_steps_quantities_and_seeds_have_nothing_to_do_with_one_another() -> None:
    first = CHANCE.uniform("use", 5)
    for other in (CHANCE.uniform("use", 6), CHANCE.uniform("noise", 5), Chance(2, NAMES).uniform("use", 5)):
        assert abs(np.corrcoef(first, other)[0, 1]) < 0.06


def test_normal_draws_have_mean_0_and_deviation_1() -> None:
    draws = np.concatenate([CHANCE.normal("error", number) for number in range(10)])
    assert abs(draws.mean()) < 0.02
    assert abs(draws.std() - 1.0) < 0.02
    assert 0.94 < (np.abs(draws) < 1.96).mean() < 0.96


def test_exponential_draws_have_their_mean() -> None:
    draws = CHANCE.exponential("wait", 600.0)
    assert draws.min() >= 0.0
    assert abs(draws.mean() - 600.0) < 40.0


@given(rows=st.lists(st.integers(0, len(NAMES) - 1), min_size=1, max_size=20), number=st.integers(0, 10**9))
def test_a_device_draws_the_same_alone_as_among_others(rows: list[int], number: int) -> None:
    alone = [Chance(1, [NAMES[row]]).uniform("use", number)[0] for row in rows]
    assert alone == CHANCE.uniform("use", number)[rows].tolist()


@given(at=st.floats(0, 2e9), period=st.floats(1, 1e6))
def test_smooth_noise_stays_in_its_interval_and_does_not_leap(at: float, period: float) -> None:
    few = Chance(1, NAMES[:10])
    now, soon = few.smooth("wind", at, period), few.smooth("wind", at + period / 1000, period)
    assert ((now >= 0) & (now < 1)).all()
    assert np.abs(now - soon).max() < 0.01


def test_keys_are_the_same_on_every_machine() -> None:
    assert key_of(1, "town/meter-1") == int.from_bytes(bytes.fromhex("2618283b7bcfc0d2"), "big")
