"""The deployed files of both brokers, run as their containers run them, in a folder of the test's own."""

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from launch.account_files import AccountFiles
from launch.ports import choose_port
from launch.program_accounts import base_files
from veldwatch.wire.broker_accounts import BrokerKind

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
ACCOUNTS = {"ingest": "pa1", "devices": "pb2", "simulators": "pc3"}
BASES = {"nats": DEPLOY / "nats" / "users.conf", "mosquitto": DEPLOY / "mosquitto" / "acl"}


def passwords(folder: Path) -> Path:
    """Write the programs' passwords as `make secrets` does, and give their folder."""
    secrets = folder / "secrets"
    secrets.mkdir(exist_ok=True)
    for name, word in ACCOUNTS.items():
        (secrets / f"mqtt_{name}_password").write_text(word, encoding="ascii")
    return secrets


def account_files(kind: str, folder: Path, secrets: Path, *, certificates: bool = False) -> AccountFiles:
    """Give what the service `accounts` writes."""
    which = cast("BrokerKind", kind)
    base = base_files(which, BASES[kind], secrets)
    return AccountFiles(kind=which, folder=folder, base=base, certificates=certificates)


@contextmanager
def broker(kind: str, folder: Path, *, listener: str = "plain", queue_bytes: int = 128_000_000) -> Generator[int]:
    """Run the broker as its container does, with no account of the register to begin with.

    Args:
        listener: which of the deployed files; certificates are in `tls` under the folder.
        queue_bytes: how long Mosquitto's queue may be.
    """
    port = choose_port(0)
    register = folder / "accounts"
    register.mkdir()
    account_files(kind, register, passwords(folder)).write([])
    command = _nats(folder, port, listener) if kind == "nats" else _mosquitto(folder, port, listener, queue_bytes)
    environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"}
    log = (folder / "log").open("w")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(port, process, folder / "log")
        yield port
    finally:
        process.terminate()
        assert process.wait(10) == 0
        log.close()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(200):
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(log.read_text())


def _nats(folder: Path, port: int, listener: str) -> list[str]:
    (folder / "nats").mkdir()
    main = (DEPLOY / "nats" / "nats.conf").read_text(encoding="utf-8")
    main = main.replace("/var/lib/nats", str(folder / "store")).replace("127.0.0.1:4222", "127.0.0.1:-1")
    main = main.replace("127.0.0.1:8222", f"127.0.0.1:{choose_port(0)}")
    (folder / "nats" / "nats.conf").write_text(main, encoding="utf-8")
    text = (DEPLOY / "nats" / f"listener-{listener}.conf").read_text(encoding="utf-8")
    text = _own_tls(text, folder)
    (folder / "listener.conf").write_text(text.replace("0.0.0.0:1883", f"127.0.0.1:{port}"), encoding="utf-8")
    server = str(Path(sysconfig.get_path("scripts")) / "nats-server")
    watched = f"--watched={folder / 'accounts' / 'users.conf'}"
    return [
        sys.executable,
        "-m",
        "launch",
        "broker",
        "run",
        watched,
        "--",
        server,
        "-c",
        str(folder / "nats" / "nats.conf"),
    ]


def _mosquitto(folder: Path, port: int, listener: str, queue_bytes: int) -> list[str]:
    path = os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin"
    if shutil.which("mosquitto", path=path) is None:
        pytest.skip("mosquitto is not on this machine: its files were not tried")
    main = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
    for written, here in (
        ("/tmp/", f"{folder / 'own'}/"),  # noqa: S108  # as the file says
        ("/mosquitto/data/", f"{folder}/"),
        ("/mosquitto/config/listener", folder / "listener"),
    ):
        main = main.replace(str(written), str(here))
    if os.geteuid() == 0:
        main += "\nuser root\n"
    (folder / "mosquitto.conf").write_text(main, encoding="utf-8")
    (folder / "listener").mkdir()
    (folder / "own").mkdir()
    text = (DEPLOY / "mosquitto" / f"listener-{listener}.conf").read_text(encoding="utf-8")
    text = _own_tls(text, folder)
    text = text.replace("listener 1883 0.0.0.0", f"listener {port} 127.0.0.1")
    (folder / "listener" / "listener.conf").write_text(text, encoding="utf-8")
    files = (folder / "accounts", folder / "own", folder / "mosquitto.db", queue_bytes)
    return ["sh", str(DEPLOY / "mosquitto" / "run.sh"), str(folder / "mosquitto.conf"), *map(str, files)]


def _own_tls(text: str, folder: Path) -> str:
    return text.replace("/etc/veldwatch/tls", str(folder / "tls")).replace("/run/secrets", str(folder / "tls"))
