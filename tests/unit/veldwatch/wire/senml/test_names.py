"""Which device and metric a name means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veldwatch.wire.senml.names import Split, split_name


@pytest.mark.parametrize(
    ("name", "device", "metric"),
    [
        ("urn:dev:ow:10e2073a0108006:voltage", "urn:dev:ow:10e2073a0108006", "voltage"),
        ("urn:dev:ow:10e2073a0108006", "urn:dev:ow:10e2073a0108006", None),
        ("urn:dev:ow:10e2073a0108006:", "urn:dev:ow:10e2073a0108006", None),
        ("urn:dev:mac:0024befffe804ff1/3303/0/5700", "urn:dev:mac:0024befffe804ff1", "3303/0/5700"),
        ("urn:dev:ow:10e2073a01080063_temp", "urn:dev:ow:10e2073a01080063", "temp"),
        ("urn:dev:os:32473-12-34:a:b", "urn:dev:os:32473-12-34", "a:b"),
        ("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6:t", "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "t"),
        ("urn:imei:990000862471854", "urn:imei:990000862471854", None),
        ("2001:db8::2/temperature", "2001:db8::2", "temperature"),
        ("2001:db8::2", "2001:db8::2", None),
        ("00:24:be:80:4f:f1", "00:24:be:80:4f:f1", None),
        ("pump-house/tank:level", "pump-house", "tank:level"),
        ("site/tank/level", "site/tank", "level"),
        ("node7:rh", "node7", "rh"),
        ("node7", "node7", None),
        ("node7/", "node7", None),
        ("node7:", "node7:", None),
        ("node7.rh", "node7.rh", None),
    ],
)
def test_names_are_taken_apart(name: str, device: str, metric: str | None) -> None:
    assert split_name(name) == Split(device, metric)


@given(st.from_regex(r"[A-Za-z0-9][-:._/A-Za-z0-9]{0,40}", fullmatch=True))
def test_device_separator_and_metric_are_the_name(name: str) -> None:
    device, metric = split_name(name)
    assert device
    if metric is not None:
        assert name in {f"{device}{separator}{metric}" for separator in ":/_"}
