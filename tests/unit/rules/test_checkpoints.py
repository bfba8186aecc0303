"""Which states are kept: few, and never further apart than twice as far back."""

from hypothesis import given
from hypothesis import strategies as st

from rules.checkpoints import GRAIN, superfluous


@given(st.lists(st.integers(GRAIN, 50 * GRAIN), min_size=1, max_size=400))
def test_going_back_by_d_reads_at_most_about_twice_d(steps: list[int]) -> None:
    head, kept = 0, [0]
    for step in steps:
        head += step
        for doomed in superfluous(kept, head):
            kept.remove(doomed)
        kept.append(head)
    for older, newer in zip(kept, [*kept[1:], head], strict=True):
        assert head - older <= 2 * (head - newer) + 51 * GRAIN


def test_a_long_history_keeps_few_states_and_its_first() -> None:
    kept: list[int] = []
    for number in range(20_000):
        head = number * GRAIN
        kept = [position for position in kept if position not in superfluous(kept, head)]
        kept.append(head)
    assert kept[0] == 0
    assert len(kept) <= 40
