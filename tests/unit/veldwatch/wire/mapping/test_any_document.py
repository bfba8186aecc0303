"""Whatever a message holds and however a mapping is told, it gives values or a reason, and nothing else."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.telemetry import LARGEST_VALUE
from veldwatch.wire.sources import find_decoder
from veldwatch.wire.units import is_known

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
PATHS = ("$", "@", "$.a", "@.a", "$.a.b", "@.b[0]", "$..a", "$.a[*]", "@[*]", "$.a[?@.b > 1].a", "$[-1]", "$['a','b']")
FORMATS = ("auto", "iso", "s", "ms", "us", "ns", "%d.%m.%Y %H:%M")

HOSTILE: list[object] = [
    *(0, -1, 1, 10**400, 1e308, 1795338000, None, True),
    *("0", "1e999", "\0", "ON", "NaN", "9" * 500, "x" * 300, "\ud800"),
    *("2026-03-01", "22.11.2026 09:00", "0001-01-01T00:00:00Z", "2026-10-25T02:30:00"),
]
Strategy = st.SearchStrategy[Any]

paths = st.sampled_from(PATHS)
templates = paths | st.sampled_from(["x", "{topic}", "{topic[0]}", "{topic[-3]}", "{key}", "{$.a}-{@.b}"])
scalars = st.sampled_from([1, 0, True, "1", "ON", -127, 65535, 1.5])
whens: Strategy = st.none() | st.fixed_dictionaries(
    {"path": paths}, optional={"equals": scalars | st.lists(scalars, max_size=2)}
)
metrics: Strategy = st.fixed_dictionaries(
    {"name": templates, "value": paths},
    optional={
        "unit": st.sampled_from(["Cel", "m3", "$.a", "@.b"]),
        "scale": st.sampled_from([0.1, -2, 1e300]),
        "offset": st.sampled_from([0, 1e300, -1]),
        "values": st.dictionaries(st.sampled_from(["ON", "1", "true"]), st.integers(-3, 3), max_size=2),
        "implausible": st.lists(scalars, max_size=2),
        "ignore": st.lists(scalars, max_size=2),
        "required": st.booleans(),
        "when": whens,
    },
)
times: Strategy = st.just("arrival") | st.fixed_dictionaries(
    {
        "path": templates,
        "format": st.sampled_from(FORMATS),
        "zone": st.sampled_from(["UTC", "Europe/Madrid", "+02:00"]),
    },
    optional={"missing": st.just("arrival")},
)
options: Strategy = st.fixed_dictionaries(
    {},
    optional={
        "payload": st.sampled_from(["json", "text"]),
        "items": st.sampled_from(["$", "$.a", "$[*]", "$..a", "$.*", "$[?@.a]"]),
        "device": templates,
        "time": times,
        "metrics": st.lists(metrics, max_size=2),
        "position": st.fixed_dictionaries(
            {"longitude": paths, "latitude": paths}, optional={"speed": paths, "altitude": paths, "when": whens}
        ),
        "events": st.lists(
            st.fixed_dictionaries(
                {"kind": templates}, optional={"when": whens, "attributes": st.fixed_dictionaries({"x": paths})}
            ),
            max_size=1,
        ),
        "flatten": st.booleans(),
        "allow_empty": st.booleans(),
    },
)
hostile: st.SearchStrategy[object] = st.sampled_from(HOSTILE)
documents: st.SearchStrategy[object] = st.recursive(
    hostile | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    max_leaves=10,
)


@given(options, documents, st.sampled_from(["t", "a/b/c", "", "/"]), st.booleans())
def test_a_message_gives_values_or_a_reason(told: dict[str, Any], document: object, topic: str, raw: object) -> None:
    try:
        decode = find_decoder("mapping", told)
    except ConfigurationInvalid:
        return
    payload = json.dumps(document).encode("utf-8", "surrogatepass")
    try:
        found = decode(topic, payload[1:] if raw else payload, NOW)
    except MessageRejected:
        return
    for reading in found.readings:
        assert abs(reading.value) <= LARGEST_VALUE
        assert reading.unit is None or is_known(reading.unit)
        assert 1 <= len(reading.metric) <= 256
        assert "\0" not in reading.metric
    for row in (*found.readings, *found.positions, *found.events):
        assert 1 <= len(row.device) <= 256
        assert row.observed_at.tzinfo is UTC
        assert row.device in found.heard
    for event in found.events:
        assert isinstance(json.loads(event.attributes), dict)
    assert all(rejection.detail for rejection in found.rejections)
