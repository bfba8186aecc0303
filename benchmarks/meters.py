"""Water meters in groups, with a rule for each group: what messages of a measurement are from."""

from collections.abc import Sequence

from veldwatch.model.register import Device
from veldwatch.model.rule import Rule
from veldwatch.storage import register
from veldwatch.storage.connection import Connection
from veldwatch.storage.rules import save_rule

ORGANISATION = "bench"
_UNITS = {"total_volume": "m3", "flow_rate": "L/h", "battery_voltage": "V"}


def meter(number: int) -> str:
    """Name a meter as it is on the wire."""
    return f"meter-{number:05}"


def register_meters(connection: Connection, devices: int, rules: Sequence[Rule]) -> None:
    """Make the devices with their series, in as many groups as there are rules (`group-0`, ...), and the rules."""
    with connection.transaction():
        organisation = register.ensure_organisation(connection, ORGANISATION)
        ids = [
            register.ensure_device(
                connection,
                Device(
                    organisation_id=organisation,
                    external_id=meter(number),
                    source="veldwatch",
                    tags=(f"group-{number % len(rules)}",) if rules else (),
                ),
            )
            for number in range(devices)
        ]
        register.ensure_series(
            connection, [(device, metric, unit) for device in ids for metric, unit in _UNITS.items()]
        )
        for rule in rules:
            save_rule(connection, rule, "bench")
