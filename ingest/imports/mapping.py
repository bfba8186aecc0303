"""Which columns of a table say what: wide (a column for each metric) or long (a column that names it)."""

from dataclasses import asdict, dataclass

from veldwatch.errors import ConfigurationInvalid
from veldwatch.wire.units import canonical


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueColumn:
    """A column that holds values of one metric; unit None: the series' own."""

    column: str
    metric: str
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Which columns of a file say what.

    Attributes:
        device_column: empty: every row is of `device`.
        metric_column, value_column, unit_column: of a long table; empty: a wide one, by `values`.
        received_column: when a row arrived; empty: unknown, and no contact is written.
        quality_column: flags of `veldwatch.model.telemetry.Quality` that every value of the row has; empty: none.
        time_zone: of times without an offset.
        decimal_comma: values are written 12,5.
    """

    time_column: str
    device_column: str = ""
    device: str = ""
    values: tuple[ValueColumn, ...] = ()
    metric_column: str = ""
    value_column: str = ""
    unit_column: str = ""
    received_column: str = ""
    quality_column: str = ""
    time_zone: str = ""
    decimal_comma: bool = False

    def check(self) -> None:
        """See that it says enough to import by.

        Raises:
            ConfigurationInvalid: no device, or no values, or both kinds of them.
        """
        if not (self.device_column or self.device):
            raise ConfigurationInvalid("no device (say --device-column, or --device for a file of one)")
        if bool(self.values) == bool(self.metric_column and self.value_column):
            raise ConfigurationInvalid("no values (say --value, or --metric-column with --value-column)")

    def columns(self) -> list[str]:
        """List every column that is named, each once."""
        named = [self.device_column, self.time_column, self.metric_column, self.value_column, self.unit_column]
        named += [self.received_column, self.quality_column, *(value.column for value in self.values)]
        return list(dict.fromkeys(name for name in named if name))

    def document(self) -> dict[str, object]:
        """Give it as JSON holds it, without what is not said."""
        return {name: value for name, value in asdict(self).items() if value}


EXPORTED = Mapping(
    device_column="device",
    time_column="observed_at",
    metric_column="metric",
    value_column="value",
    unit_column="unit",
    quality_column="quality",
    received_column="received_at",
)
"""Columns as `veldwatch export csv` and `export parquet` write them."""


def value_column(text: str) -> ValueColumn:
    """Read `COLUMN=METRIC[:UNIT]`.

    Raises:
        ConfigurationInvalid: not of that form, or the unit is unknown.
    """
    column, equals, rest = text.partition("=")
    metric, colon, unit = rest.partition(":")
    if not column or not equals or not metric:
        raise ConfigurationInvalid(f"bad --value: {text!r} (expected COLUMN=METRIC or COLUMN=METRIC:UNIT)")
    return ValueColumn(column=column, metric=metric, unit=_unit(unit) if colon else None)


def _unit(text: str) -> str:
    found = canonical(text)
    if found is None:
        raise ConfigurationInvalid(f"bad unit: {text!r} (expected a UCUM code)")
    return found
