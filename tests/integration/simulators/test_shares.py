"""Runs that are shared out over processes: all of it is told, all end together, and who failed is said."""

import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from launch.embedded_broker import EmbeddedBroker
from simulators.building import Share, build_fleet
from simulators.publisher import Publisher
from simulators.shares import play_shares
from simulators.stream import in_order
from tests.integration.simulators.conftest import Listener
from tests.unit.simulators.test_stream import RESERVES, ends_at, run_of, scenario_of
from veldwatch.config import Settings, load_settings
from veldwatch.errors import ConfigurationInvalid, ShareFailed


def published(settings: Settings, share: Share, stop: threading.Event) -> int | None:
    """Publish a share of the reserves."""
    fleet = build_fleet(scenario_of(RESERVES), run_of(RESERVES), share)
    messages = [*fleet.advance(ends_at(RESERVES))]
    with Publisher(settings, stop, client_id=f"share-{share.number}") as publisher:
        done = publisher.publish_many(messages) and publisher.flush(30)
    return len(messages) if done else None


def endless(folder: Path, share: Share, stop: threading.Event) -> int | None:
    """Run until told to stop, and leave word."""
    (folder / f"{share.number}.begun").write_text(str(os.getpid()))
    stop.wait()
    (folder / f"{share.number}.ended").touch()


def failing(folder: Path, share: Share, stop: threading.Event) -> int | None:
    """Fail in the second share once all of them run."""
    if share.number == 1:
        while not (folder / "0.begun").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)
    return endless(folder, share, stop)


def refusing(share: Share, stop: threading.Event) -> int | None:
    raise ConfigurationInvalid(f"bad share: {share.number}, {stop.is_set()}")


def test_all_shares_together_say_what_one_process_would(broker: EmbeddedBroker, listener: Listener) -> None:
    settings = load_settings(mqtt_port=broker.port, mqtt_username=broker.username, mqtt_password=broker.password)
    whole = [*in_order([build_fleet(scenario_of(RESERVES), run_of(RESERVES))], ends_at(RESERVES))]
    assert play_shares(2, partial(published, settings), threading.Event()) == len(whole)
    until = time.monotonic() + 30
    while len(listener.messages) < len(whole) and time.monotonic() < until:
        time.sleep(0.05)
    assert sorted(listener.messages) == sorted((topic, payload) for _, topic, payload in whole)


def test_all_shares_stop_when_the_run_is_to_stop(tmp_path: Path) -> None:
    stop = threading.Event()
    watching = threading.Thread(target=_stop_when_begun, args=(tmp_path, stop))
    watching.start()
    assert play_shares(2, partial(endless, tmp_path), stop) is None
    watching.join()
    assert (tmp_path / "0.ended").exists()
    assert (tmp_path / "1.ended").exists()


def test_one_that_dies_ends_the_others_and_is_named(tmp_path: Path) -> None:
    with pytest.raises(ShareFailed, match=r"share 2 of 2 \(process \d+\) was ended by SIGKILL"):
        play_shares(2, partial(failing, tmp_path), threading.Event())
    assert (tmp_path / "0.ended").exists()


def test_one_that_fails_says_why() -> None:
    with pytest.raises(ShareFailed, match=r"share 1 of 1 .* ended with exit code 3 \(bad share: 0, False\)"):
        play_shares(1, refusing, threading.Event())


def test_shares_stop_when_their_parent_was_killed(tmp_path: Path) -> None:
    program = (
        "import threading, sys, pathlib, functools\n"
        "from simulators.shares import play_shares\n"
        "from tests.integration.simulators.test_shares import endless\n"
        "if __name__ == '__main__':\n"
        "    play_shares(2, functools.partial(endless, pathlib.Path(sys.argv[1])), threading.Event())\n"
    )
    file = tmp_path / "parent.py"
    file.write_text(program)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, file, tmp_path], env=environment) as parent:
        _wait_for(tmp_path, "begun")
        parent.kill()
    _wait_for(tmp_path, "ended")


def _stop_when_begun(folder: Path, stop: threading.Event) -> None:
    _wait_for(folder, "begun")
    stop.set()


def _wait_for(folder: Path, what: str) -> None:
    until = time.monotonic() + 60
    while len([*folder.glob(f"*.{what}")]) < 2:
        assert time.monotonic() < until
        time.sleep(0.02)
