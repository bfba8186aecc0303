"""The examples of RFC 8428, sections 5.1 and 6: each resolves as the RFC says.

Source: RFC 8428; copyright IETF Trust and the authors, Revised BSD licence for code components.
"""

from datetime import UTC, datetime, timedelta

import cbor2
import pytest

from veldwatch.model.telemetry import Decoded, Quality
from veldwatch.wire.senml.decoder import configure

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
ARRIVAL = int(Quality.TIME_OF_ARRIVAL)
OW = "urn:dev:ow:10e2073a0108006"


def decoded(payload: bytes) -> Decoded:
    return configure({})("senml/x", payload, NOW)


def said(found: Decoded) -> list[tuple[str, str, float, str | None, datetime]]:
    return [(r.device, r.metric, r.value, r.unit, r.observed_at) for r in found.readings]


def at(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(seconds * 1e6))


def test_single_datapoint() -> None:
    found = decoded(b'[{"n":"urn:dev:ow:10e2073a01080063","u":"Cel","v":23.1}]')
    assert said(found) == [("urn:dev:ow:10e2073a01080063", "Cel", 23.1, "Cel", NOW)]
    assert found.readings[0].quality == ARRIVAL


def test_multiple_datapoints_now() -> None:
    found = decoded(
        b'[{"bn":"urn:dev:ow:10e2073a01080063:","n":"voltage","u":"V","v":120.1},{"n":"current","u":"A","v":1.2}]'
    )
    device = "urn:dev:ow:10e2073a01080063"
    assert said(found) == [(device, "voltage", 120.1, "V", NOW), (device, "current", 1.2, "A", NOW)]


SERIES = (
    b'[{"bn":"urn:dev:ow:10e2073a0108006:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},'
    b'{"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"v":1.3},{"n":"current","t":-3,"v":1.4},'
    b'{"n":"current","t":-2,"v":1.5},{"n":"current","t":-1,"v":1.6},{"n":"current","v":1.7}]'
)
RESOLVED = [
    (OW, "voltage", 120.1, "V", at(1276020076.001)),
    *((OW, "current", 1.7 - n / 10 if n != 3 else 1.4, "A", at(1276020076.001 - n)) for n in (5, 4, 3, 2, 1, 0)),
]


def test_multiple_datapoints_with_times() -> None:
    assert said(decoded(SERIES)) == [(d, m, pytest.approx(v), u, t) for d, m, v, u, t in RESOLVED]


def test_the_same_in_cbor() -> None:
    """Section 6, figure 5: the RFC's own bytes."""
    dump = bytes.fromhex(
        "87a721781b75726e3a6465763a6f773a3130653230373361303130383030363a22fb41d303a15b00106223614120050067766f6c7461676501"
        "615602fb405e066666666666a3006763757272656e74062402fb3ff3333333333333a3006763757272656e74062302fb3ff4cccccccccccda3"
        "006763757272656e74062202fb3ff6666666666666a3006763757272656e74062102f93e00a3006763757272656e74062002fb3ff999999999"
        "999aa3006763757272656e74060002fb3ffb333333333333"
    )
    assert said(decoded(dump)) == said(decoded(SERIES))


def test_a_moving_device_has_fixes() -> None:
    found = decoded(
        b'[{"bn":"urn:dev:ow:10e2073a01080063","bt":1.320067464e+09,"bu":"%RH","v":20},{"u":"lon","v":24.30621},'
        b'{"u":"lat","v":60.07965},{"t":60,"v":20.3},{"u":"lon","t":60,"v":24.30622},{"u":"lat","t":60,"v":60.07965},'
        b'{"u":"%EL","t":150,"v":98}]'
    )
    device = "urn:dev:ow:10e2073a01080063"
    assert said(found) == [
        (device, "%RH", 20, "%RH", at(1320067464)),
        (device, "%RH", 20.3, "%RH", at(1320067524)),
        (device, "%EL", 98, "%EL", at(1320067614)),
    ]
    assert [(p.device, p.observed_at, p.longitude, p.latitude) for p in found.positions] == [
        (device, at(1320067464), 24.30621, 60.07965),
        (device, at(1320067524), 24.30622, 60.07965),
    ]


def test_multiple_data_types() -> None:
    found = decoded(
        b'[{"bn":"urn:dev:ow:10e2073a01080063:","n":"temp","u":"Cel","v":23.1},{"n":"label","vs":"Machine Room"},'
        b'{"n":"open","vb":false},{"n":"nfc-reader","vd":"aGkgCg"}]'
    )
    assert [(r.metric, r.value, r.unit) for r in found.readings] == [("temp", 23.1, "Cel"), ("open", 0, None)]
    assert [(e.kind, e.attributes) for e in found.events] == [
        ("text", '{"label":"Machine Room"}'),
        ("data", '{"nfc-reader":"aGkgCg"}'),
    ]


def test_a_collection_of_resources() -> None:
    """The last record has the base name of the third and the base time of the first."""
    found = decoded(
        b'[{"bn":"2001:db8::2/","bt":1.320078429e+09,"n":"temperature","u":"Cel","v":25.2},{"n":"humidity","u":"%RH","v":30},'
        b'{"bn":"2001:db8::1/","n":"temperature","u":"Cel","v":12.3},{"n":"humidity","u":"%RH","v":67}]'
    )
    assert said(found) == [
        ("2001:db8::2", "temperature", 25.2, "Cel", at(1320078429)),
        ("2001:db8::2", "humidity", 30, "%RH", at(1320078429)),
        ("2001:db8::1", "temperature", 12.3, "Cel", at(1320078429)),
        ("2001:db8::1", "humidity", 67, "%RH", at(1320078429)),
    ]


def test_actuators() -> None:
    """A ratio keeps its value: "/" is no percentage; a time just ahead is relative to now as well."""
    found = decoded(
        b'[{"bt":0.02,"bu":"/","n":"urn:dev:mac:0024befffe804ff1/light","v":1},'
        b'{"bt":0.5,"bn":"urn:dev:ow:10e2073a01080063:","n":"heat","v":0.5}]'
    )
    assert said(found) == [
        ("urn:dev:mac:0024befffe804ff1", "light", 1, "1", NOW + timedelta(milliseconds=20)),
        ("urn:dev:ow:10e2073a01080063", "heat", 0.5, "1", NOW + timedelta(milliseconds=500)),
    ]


def test_the_registered_cbor_labels_are_those_of_json() -> None:
    labels = {
        -1: 10,
        -2: "node:",
        -3: 1_700_000_000,
        -4: "W",
        -5: 1,
        -6: 10,
        0: "p",
        1: "kW",
        2: 2.5,
        5: 5,
        6: 1,
        7: 60,
    }
    assert said(decoded(cbor2.dumps([labels]))) == [
        ("node", "p", 3.5, "kW", at(1_700_000_001)),
        ("node", "p_sum", 15, "kJ", at(1_700_000_001)),
    ]
