"""`run.json` in the state folder: how tools and tests reach what runs; there only while everything answers."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a running stack can be reached by.

    Attributes:
        token: an operator's.
        pids: program to process, the launcher included.
    """

    api: str
    mqtt_host: str
    mqtt_port: int
    mqtt_username: str
    mqtt_password: str
    dsn: str
    token: str
    pids: Mapping[str, int]


def write_run_file(home: Path, run: Run) -> None:
    """Write `run.json`, all at once, readable by nobody else: it holds passwords."""
    mqtt = {
        "host": run.mqtt_host,
        "port": run.mqtt_port,
        "username": run.mqtt_username,
        "password": run.mqtt_password,
    }
    document = {"api": run.api, "mqtt": mqtt, "dsn": run.dsn, "token": run.token, "pids": dict(run.pids)}
    part = home / "run.json.part"
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
    part.rename(home / "run.json")


def remove_run_file(home: Path) -> None:
    """Remove `run.json`, if it is there."""
    (home / "run.json").unlink(missing_ok=True)
