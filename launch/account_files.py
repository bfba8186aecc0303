"""The files that a broker reads its accounts from: written whole or not at all, only when something changed.

NATS has one, `users.conf`; Mosquitto has `acl` and `passwords`. Each begins with (or, for NATS, has around it) what
does not come from the register: the programs' own accounts.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from veldwatch import verifiers
from veldwatch.model.credential import Account
from veldwatch.wire.broker_accounts import BrokerKind, mosquitto_acl, mosquitto_passwords, nats_accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFiles:
    """Where a broker's accounts go, and what stands beside the register's.

    Attributes:
        base: file's name to its text without any account of the register; for NATS with the marker.
        certificates: NATS maps certificates to accounts on its MQTT listener.
    """

    kind: BrokerKind
    folder: Path
    base: Mapping[str, str]
    certificates: bool = False
    _locked: str = field(default_factory=lambda: verifiers.bcrypt_verifier(verifiers.new_secret()))

    def render(self, accounts: Sequence[Account]) -> dict[str, str]:
        """Write the files' texts, in the order in which they are to be replaced.

        Mosquitto's ACL goes first: what it no longer names may do nothing, whatever the password file still says.

        Raises:
            ConfigurationInvalid: the base of NATS has no marker.
        """
        if self.kind == "nats":
            locked = None if self.certificates else self._locked
            return {"users.conf": nats_accounts(self.base["users.conf"], accounts, locked=locked)}
        return {
            "acl": mosquitto_acl(self.base.get("acl", ""), accounts),
            "passwords": mosquitto_passwords(self.base.get("passwords", ""), accounts),
        }

    def write(self, accounts: Sequence[Account]) -> bool:
        """Replace what changed; True: something did, and the broker is to read again."""
        changed = False
        for name, text in self.render(accounts).items():
            changed |= _replace(self.folder / name, text)
        return changed


def _replace(file: Path, text: str) -> bool:
    """Put a file in the place of another, with its owner and mode: whoever reads finds the old or the new one.

    A new one may be read by all who may enter the folder: the broker has an account of its own, and a verifier of a
    random secret gives nothing away.
    """
    content = text.encode()
    try:
        old = file.stat()
        if old.st_size == len(content) and file.read_bytes() == content:
            return False
    except FileNotFoundError:
        old = None
    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
        if old is not None:
            if os.geteuid() == 0:
                os.fchown(opened.fileno(), old.st_uid, old.st_gid)
            os.fchmod(opened.fileno(), old.st_mode & 0o777)
    part.replace(file)
    return True
