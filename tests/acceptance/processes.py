"""A stack of real processes for a test: started as a person starts it, watched from outside."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import httpx
import psycopg


class StackProcess:
    """`veldwatch up` or `veldwatch demo` in a state folder of its own, every port a free one."""

    def __init__(self, command: str, home: Path, environment: Mapping[str, str] | None = None) -> None:
        self.home = home
        kept = {name: value for name, value in os.environ.items() if not name.startswith("VELDWATCH_")}
        own = {"VELDWATCH_HOME": str(home), "VELDWATCH_API_PORT": "0", "VELDWATCH_MQTT_PORT": "0"}
        self._output = home.parent / f"{home.name}-output.txt"
        began = time.monotonic()
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "launch", command],
                env={**kept, **own, **(environment or {})},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            until(self._is_up, 90, lambda: f"no run.json after 90 s:\n{self.output()}")
        except AssertionError:
            self.stop()
            raise
        self.started_in_seconds = time.monotonic() - began

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def run(self) -> dict[str, Any]:
        """What `run.json` says now."""
        return json.loads((self.home / "run.json").read_text(encoding="utf-8"))

    def output(self) -> str:
        return self._output.read_text(encoding="utf-8")[-4000:]

    def answers(self) -> bool:
        """Tell whether API and database answer."""
        try:
            self.get("/v1/me")
        except httpx.HTTPError:
            return False
        return True

    def get(self, path: str, **parameters: str | int) -> Any:  # noqa: ANN401  # a JSON value
        run = self.run
        answer = httpx.get(
            f"{run['api']}{path}",
            params=parameters,
            headers={"Authorization": f"Bearer {run['token']}"},
            timeout=30,
            trust_env=False,
        )
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, document: Mapping[str, object]) -> Any:  # noqa: ANN401  # a JSON value
        run = self.run
        headers = {"Authorization": f"Bearer {run['token']}"}
        answer = httpx.post(f"{run['api']}{path}", json=document, headers=headers, timeout=30, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.run["dsn"]) as connection:
            return connection.execute(query.encode()).fetchall()

    def kill(self, program: str) -> None:
        """Kill -9 a program, and wait until another has taken its place."""
        old = self.run["pids"][program]
        os.kill(old, signal.SIGKILL)
        until(
            lambda: self.run["pids"].get(program, old) != old, 90, lambda: f"{program} did not return:\n{self.output()}"
        )

    def kill_launcher(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> float:
        """Ask everything to stop; returns how many seconds it took."""
        began = time.monotonic()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)
        return time.monotonic() - began

    def processes(self) -> list[str]:
        """List every process that has to do with the state folder, whoever is its parent."""
        return [found for found in (_about(entry, self.home) for entry in Path("/proc").iterdir()) if found]

    def _is_up(self) -> bool:
        assert self._process.poll() is None, f"the launcher ended with {self._process.returncode}:\n{self.output()}"
        # A launcher that was killed left a file that names its own process.
        return (self.home / "run.json").exists() and self.run["pids"]["launcher"] == self._process.pid


def until(condition: Callable[[], bool], seconds: float, complaint: Callable[[], str] = lambda: "") -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, complaint()
        time.sleep(0.05)


def _about(entry: Path, home: Path) -> str:
    if not entry.name.isdigit() or int(entry.name) == os.getpid():
        return ""
    marker = home / "elsewhere"
    names = [str(home).encode(), *([marker.read_bytes()] if marker.exists() else [])]
    try:
        command = (entry / "cmdline").read_bytes()
        facts = command + (entry / "environ").read_bytes() + os.fsencode((entry / "cwd").readlink())
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return ""
    mine = command and any(name in facts for name in names)
    return f"{entry.name} {command.replace(bytes(1), b' ').decode(errors='replace')}" if mine else ""
