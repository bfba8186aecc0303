"""SenML's units, of both registries, as UCUM codes.

`%` is a trap: in this registry it is the ratio itself (0.5 is half), and so is `/`; a percentage is `/100`. `B` is a
byte.

Source: RFC 8428, section 12.1 (units); RFC 8798 (secondary units).
"""

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.wire.units import canonical, is_known
from veldwatch.wire.values import shown

_CODES = {
    "/": "1", "%": "1", "count": "1", "beats": "1", "beat/min": "1/min", "Bspl": "B[SPL]", "pH": "[pH]", "B": "By",
    "VAs": "VA.s", "vars": "var.s", "NTU": "[NTU]", "KiB": "KiBy", "GB": "GBy", "B/s": "By/s", "MB/s": "MBy/s",
    "ppm": "[ppm]", "/100": "%", "/1000": "[ppth]",
}  # fmt: skip
# Units times seconds that have a name of their own.
_SUMS = {
    "W": "J", "kW": "kJ", "A": "C", "m3/s": "m3", "l/s": "l", "m/s": "m", "bit/s": "bit", "Mbit/s": "Mbit", "1/s": "1",
    "B/s": "By", "MB/s": "MBy", "W/m2": "J/m2", "VA": "VA.s", "var": "var.s", "m/s2": "m/s", "/": "s", "%": "s",
    "count": "s", "Hz": "1",
}  # fmt: skip

LATITUDE, LONGITUDE = "lat", "lon"


def ucum(unit: str | None) -> str | None:
    """Give the UCUM code of a unit, or the registry's own where UCUM has none; None stays None.

    Raises:
        MessageRejected: of neither registry, and nothing that people write for a unit.
    """
    if unit is None:
        return None
    found = _CODES.get(unit) or (unit if is_known(unit) else canonical(unit))
    if found is None:
        raise MessageRejected(Reason.UNIT_MISMATCH, f"unknown unit {shown(unit)}")
    return found


def of_sum(unit: str | None) -> str | None:
    """Give the unit of a sum: the value's, times seconds; None where it has no code."""
    if unit is None:
        return "s"
    code = _SUMS.get(unit) or f"s.{_CODES.get(unit, unit)}"
    return code if is_known(code) else None
