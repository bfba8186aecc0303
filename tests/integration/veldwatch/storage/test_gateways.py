"""Devices that are heard through others, in the register."""

from io import StringIO

import pytest

from veldwatch.errors import Conflict
from veldwatch.model.register import Device
from veldwatch.storage import register
from veldwatch.storage.bulk_register import export_devices, register_devices
from veldwatch.storage.connection import Connection
from veldwatch.storage.device_changes import change_device
from veldwatch.wire.register_csv import read_register, write_register

LIST = "organisation,external_id,gateway\ntown,meter,gw\ntown,gw,\n"


def registered(connection: Connection, text: str) -> list[str]:
    plan = register_devices(connection, read_register(StringIO(text)).entries)
    connection.commit()
    return [detail for _, detail in plan.errors]


def test_a_list_names_gateways_that_it_makes_itself_and_again_changes_nothing(connection: Connection) -> None:
    register.ensure_organisation(connection, "town")
    assert registered(connection, LIST) == []
    plan = register_devices(connection, read_register(StringIO(LIST)).entries)
    assert (plan.count("unchanged"), plan.errors) == (2, [])
    exported = StringIO()
    write_register(exported, export_devices(connection))
    assert [entry.gateway for entry in read_register(StringIO(exported.getvalue())).entries] == [None, "gw"]


def test_a_gateway_that_nobody_knows_or_the_device_itself_is_refused(connection: Connection) -> None:
    register.ensure_organisation(connection, "town")
    (wrong,) = registered(connection, "organisation,external_id,gateway\ntown,meter,nowhere\n")
    assert wrong.startswith("no device 'nowhere' of 'town'")
    (wrong,) = registered(connection, "organisation,external_id,gateway\ntown,meter,meter\n")
    assert wrong.startswith("bad gateway: 'meter'")


def test_nothing_hangs_on_itself_by_way_of_others(connection: Connection) -> None:
    town = register.ensure_organisation(connection, "town")
    gateway = register.ensure_device(connection, Device(organisation_id=town, external_id="gw", source="tests"))
    meter = register.ensure_device(
        connection, Device(organisation_id=town, external_id="meter", source="tests", gateway_id=gateway)
    )
    connection.commit()
    assert change_device(connection, None, meter, {"name": "Meter"})["gateway"] == "gw"
    with pytest.raises(Conflict, match="would hang on itself"):
        change_device(connection, None, gateway, {"gateway": "meter"})
    connection.rollback()
    assert change_device(connection, None, meter, {"gateway": None})["gateway"] is None
