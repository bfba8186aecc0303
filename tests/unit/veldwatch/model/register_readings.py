"""Registers as they are and as they go wrong, for properties."""

from hypothesis import strategies as st

from veldwatch.model.register_steps import HOUR, Register, to_counts

Readings = tuple[list[int], list[int]]


@st.composite
def readings(draw: st.DrawFn) -> Readings:
    """Draw times, ascending, and counts: steps up, small and large steps back, leaps away, restarts."""
    steps = draw(
        st.lists(
            st.tuples(
                st.sampled_from([HOUR, HOUR, HOUR, 1, HOUR // 60, 9 * HOUR]),
                st.sampled_from(["up", "up", "up", "up", "still", "down", "far", "back", "zero", "wrap"]),
                st.integers(0, 2_000_000),
            ),
            max_size=80,
        )
    )
    at, level = 0, draw(st.sampled_from([0, 5_000_000, 98_000_000, 700_000_000]))
    high = level
    times, counts = [at], [level]
    for elapsed, kind, size in steps:
        at += elapsed
        high = max(high, level)
        match kind:
            case "up":
                level += size
            case "still":
                pass
            case "down":
                level -= min(level, size // 10)
            case "far":
                level = level * 3 + size
            case "back":
                level = high + size // 100
            case "zero":
                level = size // 100
            case _:
                level = (level + size) % to_counts(100.0)
        times.append(at)
        counts.append(level)
    return times, counts


@st.composite
def registers(draw: st.DrawFn) -> Register:
    """Draw what may be known of a register."""
    return Register(
        modulus=draw(st.sampled_from([None, to_counts(100.0), to_counts(1000.0)])),
        resolution=draw(st.sampled_from([None, 1000])),
        per_hour=draw(st.sampled_from([None, 1_500_000, 20_000_000])),
        interval=draw(st.sampled_from([None, HOUR])),
        exchanges=tuple(sorted(draw(st.lists(st.integers(0, 100 * HOUR), max_size=2, unique=True)))),
    )
