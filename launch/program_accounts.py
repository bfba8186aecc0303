"""The programs' own accounts in the broker's files: what the deployed file says, with verifiers in place of passwords.

The passwords are files, `mqtt_<account>_password`, in one folder. So the broker itself is given no secret.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from veldwatch.errors import ConfigurationInvalid
from veldwatch.secret_settings import read_secret
from veldwatch.verifiers import bcrypt_verifier, pbkdf2_verifier
from veldwatch.wire.broker_accounts import BrokerKind

# How NATS would take it from its environment; Mosquitto's accounts are those that its ACL names so.
_NATS_PASSWORD = re.compile(r"\$MQTT_([A-Z]+)_PASSWORD\b")
_MOSQUITTO_USER = re.compile(r"^user ([a-z]+)$", re.MULTILINE)


def base_files(kind: BrokerKind, base: Path | None, passwords: Path | None) -> Mapping[str, str]:
    """Read what does not come from the register, by the name of the file that it becomes part of.

    Args:
        base: NATS: the list of users with the marker. Mosquitto: the programs' ACL; None: they have none here.
        passwords: the folder; None: NATS takes them from its environment, Mosquitto has no account of a program.

    Raises:
        ConfigurationInvalid: a file cannot be read, or a password is missing or empty.
    """
    if kind == "nats":
        if base is None:
            raise ConfigurationInvalid("no --base (nats has one list of users: expected the file with the programs')")
        text = _read(base)
        return {"users.conf": text if passwords is None else _nats(text, passwords)}
    if base is None:
        return {}
    text = _read(base)
    return {"acl": text, "passwords": "" if passwords is None else _mosquitto(text, passwords)}


def _nats(text: str, passwords: Path) -> str:
    # A quoted text is not expanded, so the `$` of a verifier stays one.
    return _NATS_PASSWORD.sub(lambda found: json.dumps(bcrypt_verifier(_password(passwords, found[1].lower()))), text)


def _mosquitto(acl: str, passwords: Path) -> str:
    names = _MOSQUITTO_USER.findall(acl)
    return "".join(f"{name}:{pbkdf2_verifier(_password(passwords, name))}\n" for name in names)


def _password(folder: Path, account: str) -> str:
    path = folder / f"mqtt_{account}_password"
    secret = read_secret(path, "--passwords")
    if not secret:
        raise ConfigurationInvalid(f"bad --passwords: {str(path)!r} is empty (expected a password)")
    return secret


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationInvalid(f"bad --base: {str(file)!r} ({error.strerror})") from error
