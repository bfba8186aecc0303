"""What a person chooses at the top of a dashboard.

Each is used as `${name:sqlstring}`, always inside `ARRAY[...]::text[]` where many may be chosen: that is quoted
whatever the value holds, and stays valid when nothing is chosen.
"""

from collections.abc import Sequence

from grafana_foundation_sdk.builders.dashboard import CustomVariable, QueryVariable
from grafana_foundation_sdk.models.dashboard import VariableOption, VariableRefresh, VariableSort

from dashboards import datasource

ALL = VariableOption(selected=True, text="All", value=["$__all"])


def organisation() -> QueryVariable:
    """Choose whose devices are shown."""
    return many("organisation", "Organisation", "Utilities, municipalities and agencies")


def site() -> QueryVariable:
    """Choose sites of the chosen organisations."""
    return many("site", "Site", "Sites of the chosen organisations")


def tracker() -> QueryVariable:
    """Choose animals by their trackers."""
    return many("tracker", "Animal", "Trackers of the chosen organisations")


def device() -> QueryVariable:
    """Choose one device."""
    return _query("device", "Device", "One device of the chosen sites")


def metric() -> QueryVariable:
    """Choose which metrics of the device are drawn, all by default."""
    return many("metric", "Metric", "What the device measures")


def many(name: str, label: str, description: str) -> QueryVariable:
    """Let several be chosen, all by default."""
    return _query(name, label, description).multi(True).include_all(True).current(ALL)


def severity() -> CustomVariable:
    """Choose severities, all by default."""
    values = ("critical", "major", "minor", "info")
    return choice("severity", "Severity", "How bad an alert is", values).multi(True).include_all(True).current(ALL)


def night_zone() -> CustomVariable:
    """Choose the time zone in which the night lies, for the minimum night flow."""
    zones = (
        "UTC", "Africa/Lagos", "Africa/Johannesburg", "Africa/Lusaka", "Africa/Nairobi", "Asia/Kolkata", "Asia/Jakarta",
        "Australia/Sydney", "Europe/London", "Europe/Berlin", "America/New_York", "America/Sao_Paulo",
    )  # fmt: skip  # one line each would be long to read past
    return choice("night_zone", "Night in", "Time zone in which 01:00 to 05:00 is night", zones)


def nominal() -> CustomVariable:
    """Choose the nominal voltage of the network, in V. Source: IEC 60038, between phase and neutral."""
    return choice(
        "nominal", "Nominal voltage", "Between phase and neutral, in volts", ("230", "240", "220", "120", "110")
    )


def choice(name: str, label: str, description: str, values: Sequence[str]) -> CustomVariable:
    """Let one of a closed list be chosen, the first by default."""
    options = [VariableOption(selected=value == values[0], text=value, value=value) for value in values]
    return (
        CustomVariable(name)
        .label(label)
        .description(description)
        .values(",".join(values))
        .options(options)
        .current(options[0])
        .allow_custom_value(False)
    )


def _query(name: str, label: str, description: str) -> QueryVariable:
    return (
        QueryVariable(name)
        .label(label)
        .description(description)
        .datasource(datasource.reference())
        .query(datasource.sql("variables", name))
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(VariableSort.DISABLED)
        .allow_custom_value(False)
    )
