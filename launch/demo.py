"""What the demo adds to a fresh stack: its world, its rules and somebody who is told; again and again the same."""

from rules.rule_files import pack_path, read_rules
from simulators.registration import register
from simulators.scenario_files import load_scenario
from veldwatch.errors import Conflict
from veldwatch.model.notifications import Channel
from veldwatch.storage.connection import Connection
from veldwatch.storage.receivers import NewReceiver, add_receiver
from veldwatch.storage.rules import list_rules, save_rule

_AUTHOR = "demo"
_RECEIVER = NewReceiver(slug="demo-operators", channel=Channel.EMAIL, address="operators@veldwatch.example")


def prepare_demo(connection: Connection) -> str:
    """Register the demo's devices, rules and receiver; returns what is there, in a few words."""
    devices = register(connection, load_scenario("demo"))
    rules = apply_demo_rules(connection)
    add_demo_receiver(connection)
    connection.commit()
    return f"{devices} devices, {rules} rules"


def apply_demo_rules(connection: Connection) -> int:
    """Store the demo's rules, but those that people have changed since; returns how many there are."""
    changed = {stored.slug for stored in list_rules(connection) if stored.created_by != _AUTHOR}
    rules = read_rules(pack_path("demo"))
    for rule in rules:
        if rule.id not in changed:
            save_rule(connection, rule, _AUTHOR)
    return len(rules)


def add_demo_receiver(connection: Connection) -> None:
    """Add who is told of every alert; one that exists is left as people changed it."""
    try:
        add_receiver(connection, _RECEIVER)
    except Conflict:
        return
