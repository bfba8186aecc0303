"""Accounts as brokers read them: the users of NATS, the password file and the ACL of Mosquitto.

What a broker cannot say is left out, never widened: a filter with a space has no subject in NATS, and `*` or `>` in a
device's name would be a wildcard there.
"""

import json
from collections.abc import Iterable
from typing import Literal

from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.credential import Account, CredentialKind

BrokerKind = Literal["nats", "mosquitto"]

MARKER = "# accounts of the register"
"""The line of a NATS file that the accounts take the place of, within the list of users."""

# A session's own deliveries at QoS 1; no client can subscribe to them by name.
# Source: nats-server, server/mqtt.go (mqttSubPrefix); tests/integration/launch/test_broker_accounts.py tries.
_DELIVERIES = "$MQTT.sub.>"
_NO_SUBJECT = frozenset(" \t\n\r\f\v*>")


def nats_accounts(base: str, accounts: Iterable[Account], *, locked: str | None) -> str:
    """Write a NATS file: that of the programs' accounts, with the register's in place of its marker.

    Args:
        locked: a bcrypt verifier of a secret that nobody has, for accounts that only a certificate opens. None: they
            have no password, as NATS wants it where it maps certificates to accounts (`verify_and_map`); elsewhere that
            would let in whoever knows the name.

    Raises:
        ConfigurationInvalid: the base has no marker, or two.
    """
    if base.count(MARKER) != 1:
        raise ConfigurationInvalid(f"bad file of the broker's accounts (expected one line {MARKER!r} among the users)")
    before, after = base.split(MARKER)
    users = "\n".join(_nats_user(account, locked) for account in accounts)
    return f"{before}{users}{after}"


def mosquitto_passwords(base: str, accounts: Iterable[Account]) -> str:
    """Write Mosquitto's password file: the programs' lines, then the register's."""
    lines = (f"{each.username}:{each.pbkdf2}\n" for each in accounts if each.kind is CredentialKind.PASSWORD)
    return _ended(base) + "".join(lines)


def mosquitto_acl(base: str, accounts: Iterable[Account]) -> str:
    """Write Mosquitto's ACL: the programs' part, then the register's."""
    return _ended(base) + "".join(_mosquitto_user(account) for account in accounts)


def subject(topic_filter: str) -> str | None:
    """Write a topic filter as the subject that NATS maps it to; None: it has none.

    Source: nats-server, server/mqtt.go, mqttToNATSSubjectConversion (`/` separates, `.` is `//`, empty levels are `/`).
    """
    if _NO_SUBJECT & set(topic_filter) or not topic_filter.isprintable():
        return None
    levels = topic_filter.split("/")
    return ".".join({"+": "*", "#": ">", "": "/"}.get(level, level.replace(".", "//")) for level in levels)


def _nats_user(account: Account, locked: str | None) -> str:
    heard = [each for topic_filter in account.subscribe for each in _heard(topic_filter)]
    said = [found for topic_filter in account.publish if (found := subject(topic_filter)) is not None]
    password = account.bcrypt or locked
    user: dict[str, object] = {
        "user": account.username,
        **({} if password is None else {"password": password}),
        "allowed_connection_types": ["MQTT"],
        "permissions": {
            # an empty list would allow everything
            "publish": {"allow": said} if said else {"deny": [">"]},
            "subscribe": {"allow": [*heard, _DELIVERIES]},
        },
    }
    return json.dumps(user, separators=(",", ":"))


def _heard(topic_filter: str) -> list[str]:
    """A filter that ends in `/#` takes the level above too, which is a subject of its own."""
    found = subject(topic_filter)
    if found is None:
        return []
    return [found, found[:-2]] if found.endswith(".>") else [found]


def _mosquitto_user(account: Account) -> str:
    lines = [f"user {account.username}"]
    lines += [f"topic write {topic_filter}" for topic_filter in account.publish if topic_filter.isprintable()]
    lines += [f"topic read {topic_filter}" for topic_filter in account.subscribe if topic_filter.isprintable()]
    return "\n".join(lines) + "\n\n"


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"
