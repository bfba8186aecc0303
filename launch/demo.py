"""What the demo adds to a fresh stack: its world, its rules and somebody who is told; again and again the same."""

from simulators.registration import register
from simulators.scenario import load_scenario
from veldwatch.errors import Conflict
from veldwatch.model.notifications import Channel
from veldwatch.storage.connection import Connection
from veldwatch.storage.receivers import NewReceiver, add_receiver

_RECEIVER = NewReceiver(slug="demo-operators", channel=Channel.EMAIL, address="operators@veldwatch.example")


def prepare_demo(connection: Connection) -> str:
    """Register the demo's devices, rules and receiver; returns what is there, in a few words."""
    devices = register(connection, load_scenario("demo"))
    add_demo_receiver(connection)
    connection.commit()
    return f"{devices} devices"


def add_demo_receiver(connection: Connection) -> None:
    """Add who is told of every alert; one that exists is left as people changed it."""
    try:
        add_receiver(connection, _RECEIVER)
    except Conflict:
        return
