"""Which device and which metric a resolved name means: a function of the name alone, however the pack was written.

| name | device | metric |
|---|---|---|
| `urn:dev:ow:10e2073a0108006:voltage` | `urn:dev:ow:10e2073a0108006` | `voltage` |
| `urn:dev:mac:0024befffe804ff1/3303/0/5700` | `urn:dev:mac:0024befffe804ff1` | `3303/0/5700` |
| `urn:dev:ow:10e2073a01080063_temp` (a component, RFC 9039) | `urn:dev:ow:10e2073a01080063` | `temp` |
| `urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6:t` | `urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6` | `t` |
| `2001:db8::2/temperature` | `2001:db8::2` | `temperature` |
| `pump-house/tank:level` | `pump-house` | `tank:level` |
| `node7:rh` | `node7` | `rh` |
| `urn:dev:ow:10e2073a01080063`, `node7`, `2001:db8::2`, `00:24:be:80:4f:f1` | all of it | none |

So device, one separator and metric are the name again. A name without a metric measures one thing: it is called as
its unit, or `value`.

Source: RFC 8428, section 4.5.1; RFC 9039 (device URNs).
"""

import re
from typing import NamedTuple

_URN = re.compile(
    r"(?P<device>urn:dev:[a-z0-9]+:[^:/_]+|urn:(?!dev:)[a-z0-9-]+:[^:/]+)(?:[:/_](?P<metric>.*))?",
    re.ASCII | re.IGNORECASE,
)
_ADDRESS = re.compile(r"[0-9a-f]*(?::[0-9a-f]*)+", re.ASCII | re.IGNORECASE)
"""An IPv6 or MAC address: nothing but hexadecimal digits between the colons."""


class Split(NamedTuple):
    """A name taken apart; `metric` None: all of it names the device."""

    device: str
    metric: str | None


def split_name(name: str) -> Split:
    """Take a resolved name apart."""
    match = _URN.fullmatch(name)
    if match is not None:
        return Split(match["device"], match["metric"] or None)
    device, separator, metric = name.rpartition("/")
    if separator:
        return Split(device, metric) if metric and device else Split(name.strip("/"), None)
    device, separator, metric = name.rpartition(":")
    if separator and device and metric and _ADDRESS.fullmatch(name) is None:
        return Split(device, metric)
    return Split(name, None)
