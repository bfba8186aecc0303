"""Units: UCUM codes, with RFC 8428's registry where UCUM has none, and conversion within a dimension.

A unit is known when this module can take it apart into prefixes and atoms; two known units convert when pint
says that they measure the same. Some are known by name only (pH, dBm, relative humidity) and equal nothing else.

Source: The Unified Code for Units of Measure, version 2.1; RFC 8428, section 12.1; RFC 8798.
"""

import re
from functools import cache, lru_cache
from typing import NamedTuple, Protocol, cast

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.wire.values import shown

_PREFIXES = {
    "da": "deca", "h": "hecto", "k": "kilo", "M": "mega", "G": "giga", "T": "tera", "P": "peta", "d": "deci",
    "c": "centi",
    "m": "milli", "u": "micro", "n": "nano", "p": "pico", "Ki": "kibi", "Mi": "mebi", "Gi": "gibi",
}  # fmt: skip

# Atoms that take prefixes, as pint names them; `{}` stands where the prefix goes.
_METRIC = {
    "m": "{}meter", "s": "{}second", "g": "{}gram", "t": "{}metric_ton", "L": "{}liter", "l": "{}liter",
    "K": "{}kelvin",
    "Cel": "{}degree_Celsius", "A": "{}ampere", "V": "{}volt", "W": "{}watt", "Wh": "({}watt*hour)",
    "Ah": "({}ampere*hour)",
    "J": "{}joule", "N": "{}newton", "Pa": "{}pascal", "bar": "{}bar", "Hz": "{}hertz", "Ohm": "{}ohm",
    "S": "{}siemens",
    "C": "{}coulomb", "F": "{}farad", "H": "{}henry", "T": "{}tesla", "Wb": "{}weber", "lm": "{}lumen", "lx": "{}lux",
    "cd": "{}candela", "mol": "{}mole", "eq": "{}mole", "rad": "{}radian", "Bq": "{}becquerel", "Gy": "{}gray",
    "Sv": "{}sievert", "kat": "{}katal",
    "cal": "{}calorie", "eV": "{}electron_volt", "m[H2O]": "{}meter_H2O", "m[Hg]": "{}meter_Hg",
    "VA": "{}volt_ampere_apparent", "VAh": "({}volt_ampere_apparent*hour)", "var": "{}volt_ampere_reactive",
    "varh": "({}volt_ampere_reactive*hour)", "By": "{}byte", "bit": "{}bit",
}  # fmt: skip
_PLAIN = {
    "min": "minute", "h": "hour", "d": "day", "wk": "week", "mo": "month_mean", "a": "year", "%": "percent_of_one",
    "[ppth]": "ppth_of_one", "sr": "steradian",
    "1": "dimensionless", "[ppm]": "ppm_of_one", "ppm": "ppm_of_one", "[ppb]": "ppb_of_one", "deg": "degree",
    "[degF]": "degree_Fahrenheit", "har": "hectare", "atm": "standard_atmosphere", "[psi]": "psi", "[ft_i]": "foot",
    "[in_i]": "inch", "[mi_i]": "mile", "[kn_i]": "knot", "[gal_us]": "gallon", "[lb_av]": "pound",
    "[HP]": "horsepower",
}  # fmt: skip
_OPAQUE = frozenset(
    {"%RH", "HCA", "[pH]", "pH", "dB", "dBm", "dBW", "[NTU]", "[FNU]", "%EL", "EL", "lat", "lon", "B[SPL]"}
)

# How people write what UCUM writes otherwise; keys are lower case and hold no blank.
_SPELLINGS = {
    "°c": "Cel", "degc": "Cel", "℃": "Cel", "celsius": "Cel", "°f": "[degF]", "degf": "[degF]",
    "fahrenheit": "[degF]",
    "m³": "m3", "m^3": "m3", "m3": "m3", "m³/h": "m3/h", "m^3/h": "m3/h", "m3/h": "m3/h", "l": "L", "l/h": "L/h",
    "l/min": "L/min", "l/s": "L/s", "kwh": "kWh", "wh": "Wh", "kw": "kW", "kva": "kVA", "kvah": "kVAh",
    "kvar": "kvar", "kvarh": "kvarh", "gj": "GJ", "m/sec": "m/s", "%rh": "%RH", "rh": "%RH", "µs/cm": "uS/cm",
    "μs/cm": "uS/cm", "us/cm": "uS/cm", "ms/cm": "mS/cm", "°": "deg",
    "degrees": "deg", "dbm": "dBm", "db": "dB", "volt": "V", "volts": "V", "hpa": "hPa", "mbar": "mbar",
    "lux": "lx", "lx": "lx", "ph": "[pH]", "percent": "%", "ppm": "[ppm]", "ppb": "[ppb]", "m/s": "m/s",
    "km/h": "km/h", "kph": "km/h", "w/m²": "W/m2", "w/m2": "W/m2", "sec": "s", "rpm": "1/min", "ft": "[ft_i]",
    "hours": "h", "minutes": "min", "days": "d", "ntu": "[NTU]", "psi": "[psi]", "fnu": "[FNU]",
    "mg/l": "mg/L", "mg⋅l⁻¹": "mg/L", "l⋅min⁻¹": "L/min", "ohm": "Ohm",
    "klux": "klx", "mmhg": "mm[Hg]", "mmh2o": "mm[H2O]", "mh2o": "m[H2O]",
}  # fmt: skip
# What these mean in UCUM (coulomb, farad) or not at all, nobody measures who writes them so.
_SPOKEN = {
    "c": "Cel", "f": "[degF]", "v": "V", "kn": "[kn_i]", "kt": "[kn_i]", "kts": "[kn_i]", "knots": "[kn_i]",
    "mph": "[mi_i]/h", "kmh": "km/h", "km/hr": "km/h", "gpm": "[gal_us]/min",
}  # fmt: skip
# Signs of print for what UCUM writes in ASCII.
_PRINTED = str.maketrans(
    {**dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--", strict=True)), **dict.fromkeys("⋅·∙", "."), **dict.fromkeys("µμ", "u"),
     **dict.fromkeys("ΩΩ", "Ohm"), "℃": "Cel", "°": "deg"}
)  # fmt: skip
_DENOMINATOR = re.compile(r"\.([A-Za-z]+)-([1-9])", re.ASCII)
_TERM = re.compile(r"(?P<atom>[A-Za-z]{0,3}\[[A-Za-z_0-9]+\]|[A-Za-z%]+|1)(?P<exponent>[+-]?[0-9])?", re.ASCII)
# Of text that may be a unit: longer text would be looked at, and remembered, for each value that has it.
_LONGEST = 100
_ANNOTATION = re.compile(r"\{[^{}]{0,40}\}", re.ASCII)


class Conversion(NamedTuple):
    """What makes a value of one unit a value of another: value * numerator / denominator + offset."""

    numerator: float
    denominator: float
    offset: float

    def apply(self, value: float) -> float:
        """Convert one value."""
        return value * self.numerator / self.denominator + self.offset


UNCHANGED = Conversion(1.0, 1.0, 0.0)


class _Quantity(Protocol):
    magnitude: object

    def to(self, unit: str) -> "_Quantity": ...


class _Registry(Protocol):
    def define(self, definition: str) -> None: ...

    def Quantity(self, value: object, unit: str) -> _Quantity: ...  # noqa: N802  # pint's name


def is_known(unit: str) -> bool:
    """Tell whether a unit can be stored with a series."""
    if len(unit) > _LONGEST:
        return False
    return unit in _OPAQUE or _in_pint(unit) is not None


def canonical(text: str) -> str | None:
    """Read a unit as people and codecs write it (`°C`, `m³/h`); None: unknown."""
    if len(text) > _LONGEST:
        return None
    stripped = text.strip()
    found = _SPELLINGS.get(stripped.replace(" ", "").lower())
    if found is not None and not (len(stripped) > 1 and is_known(stripped)):
        return found
    if is_known(stripped):
        return stripped
    plain = _in_ascii(stripped)
    return canonical(plain) if plain != stripped and plain.isascii() else None


def _in_ascii(text: str) -> str:
    """Write `mS⋅cm⁻¹` as `mS/cm`, `µSv/h` as `uSv/h`, `m³/s` as `m3/s`."""
    plain = text.replace("°C", "Cel").replace("°F", "[degF]").translate(_PRINTED)
    return _DENOMINATOR.sub(lambda found: f"/{found[1]}{'' if found[2] == '1' else found[2]}", plain)


def spoken(text: str) -> str | None:
    """Read a unit beside a value in a document that is not ours, where `C` is no coulomb; None: unknown."""
    return None if len(text) > _LONGEST else _SPOKEN.get(text.strip().lower()) or canonical(text)


@lru_cache(maxsize=4096)
def conversion(unit: str, wanted: str) -> Conversion:
    """Give what converts a unit into the unit of a series.

    Raises:
        MessageRejected: a unit is unknown, or the two measure different things.
    """
    if unit == wanted:
        return UNCHANGED
    if {unit, wanted} <= {"%", "%RH"}:
        return UNCHANGED
    source, target = _in_pint(unit), _in_pint(wanted)
    if source is None or target is None:
        raise MessageRejected(Reason.UNIT_MISMATCH, f"{shown(unit)} cannot become {shown(wanted)}")
    return _converted(unit, wanted, source, target)


def _converted(unit: str, wanted: str, source: str, target: str) -> Conversion:
    from fractions import Fraction  # noqa: PLC0415  # loaded with pint, below

    import pint  # noqa: PLC0415  # half a second: only where a unit really differs

    registry = _registry()
    try:
        zero = registry.Quantity(Fraction(0), source).to(target).magnitude
        one = registry.Quantity(Fraction(1), source).to(target).magnitude
    except pint.DimensionalityError as error:
        raise MessageRejected(
            Reason.UNIT_MISMATCH, f"{shown(unit)} and the series' {shown(wanted)} measure different things"
        ) from error
    offset = Fraction(cast("Fraction", zero)).limit_denominator(10**12)
    factor = (Fraction(cast("Fraction", one)) - Fraction(cast("Fraction", zero))).limit_denominator(10**15)
    return Conversion(float(factor.numerator), float(factor.denominator), float(offset))


@lru_cache(maxsize=4096)
def _in_pint(unit: str) -> str | None:
    """Write a UCUM code as pint reads it; None: a unit that we cannot take apart."""
    text = _ANNOTATION.sub("1", unit) if "{" in unit else unit
    if not text or len(text) > 40 or text in _OPAQUE:
        return None
    parts: list[str] = []
    for place, piece in enumerate(text.split("/")):
        for term in piece.split("."):
            if place == 1 and term == "":
                return None
            if term == "" and place == 0 and len(text) > 1:
                continue
            name = _term_in_pint(term)
            if name is None:
                return None
            parts.append(("/" if place else "*") + name)
    return "1" + "".join(parts) if len(parts) > 1 or parts[0][0] == "/" else parts[0][1:]


def _term_in_pint(term: str) -> str | None:
    match = _TERM.fullmatch(term)
    if match is None:
        return None
    name = _atom_in_pint(match["atom"])
    return name if name is None or match["exponent"] is None else f"{name}**({match['exponent']})"


def _atom_in_pint(atom: str) -> str | None:
    if atom in _PLAIN:
        return _PLAIN[atom]
    if atom in _METRIC:
        return _METRIC[atom].format("")
    for prefix, name in _PREFIXES.items():
        rest = atom.removeprefix(prefix)
        if rest != atom and rest in _METRIC:
            return _METRIC[rest].format(name)
    return None


@cache
def _registry() -> _Registry:
    from fractions import Fraction  # noqa: PLC0415  # see _converted

    import pint  # noqa: PLC0415

    # Fractions: 1,000 L are 1 m3, not 1.0000000000000002.
    registry = cast("_Registry", pint.UnitRegistry(non_int_type=Fraction))  # pyright: ignore[reportArgumentType]  # pint documents it
    for definition in (
        "percent_of_one = 1/100",
        "ppm_of_one = 1/1000000",
        "ppb_of_one = 1/1000000000",
        "ppth_of_one = 1/1000",
        "month_mean = 365.25 / 12 * day",
        "volt_ampere_apparent = [apparent_power]",
        "volt_ampere_reactive = [reactive_power]",
        "meter_H2O = 9806.65 * pascal",
        "meter_Hg = 133322.387415 * pascal",
    ):
        registry.define(definition)
    return registry
