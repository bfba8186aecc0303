"""A fleet of simulated meters from one process: what it says, and how much of it a broker takes at QoS 1.

A subscriber in a process of its own counts messages, readings and repetitions. Then the same broker and the same
kind of subscriber are given messages that were encoded beforehand, from a bare socket: that is the machine's limit.
"""

import gc
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any, Self

from benchmarks.machine import cpu_seconds, memory_bytes, processor
from benchmarks.publisher import Load, forget_session, publish
from benchmarks.result import Result
from benchmarks.services import BrokerOnly, broker_only
from ingest.subscriber import Subscriber
from launch.embedded_broker import Kind
from simulators.building import Run, build_fleet
from simulators.fleet import Fleet
from simulators.publisher import Publisher
from simulators.report import Message
from simulators.scenario import Scenario
from simulators.scenario_files import parse_scenario
from veldwatch.config import Settings
from veldwatch.process import collect_garbage_seldom

_STEP_SECONDS = 300
_BEGINS = 1_795_320_000_000 // (_STEP_SECONDS * 1000) * _STEP_SECONDS * 1000
_AREAS = 50
_PIECE = 500
_READING = b'"value":'
_PATIENCE_SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorsResult(Result):
    """What was measured, and where; times of processors are in microseconds a message, of all that ran."""

    published_per_second: float
    generated_per_second: float
    limit_per_second: float
    share_of_limit: float
    devices: int
    messages: int
    messages_counted: int
    readings: int
    readings_counted: int
    duplicates: int
    payload_bytes: int
    simulated_seconds: int
    seconds: float
    build_seconds: float
    memory_megabytes: int
    memory_bytes_per_device: int
    cpu_microseconds: dict[str, float]
    interval_seconds: int
    step_seconds: int
    broker: str
    processor: str
    cores: int

    @property
    def reconciled(self) -> bool:
        """Tell whether the subscriber got what the fleet said, once each."""
        return (self.messages, self.readings, 0) == (self.messages_counted, self.readings_counted, self.duplicates)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    messages: int
    readings: int
    duplicates: int
    ended: float


@dataclass(slots=True, kw_only=True)
class _Said:
    messages: int = 0
    readings: int = 0
    payload_bytes: int = 0


def measure_simulators(*, devices: int = 100_000, seconds: float = 20.0, broker: Kind = "nats") -> SimulatorsResult:
    """Measure on a broker of its own, in a folder that is gone afterwards.

    Args:
        devices: water meters of one town, each of which reports at every step.
        seconds: for how long they are published; a quarter of that for generating alone, and about half for the limit.

    Call it from the main thread.
    """
    collect_garbage_seldom()
    before = memory_bytes()
    started = time.perf_counter()
    fleet = build_fleet(_town(devices), Run(seed=1, begins_at=_BEGINS, live_from=_BEGINS))
    build_seconds = time.perf_counter() - started
    _generated(fleet, 0)  # topics are made and checked once
    generated = _generated(fleet, seconds / 4)
    memory = memory_bytes()
    with broker_only(broker) as running:
        begins = fleet.now
        said, counted, took, cpu = _published(running, fleet, seconds)
        simulated = fleet.now - begins
        # Second, so that the broker knows all topics by then, which is in the limit's favour.
        limit = _limit(running, [*_one_step(fleet)], round(seconds / 2 * 20_000))
    return SimulatorsResult(
        published_per_second=round(said.messages / took),
        generated_per_second=round(generated),
        limit_per_second=round(limit),
        share_of_limit=round(said.messages / took / limit, 3),
        devices=devices,
        messages=said.messages,
        messages_counted=counted.messages,
        readings=said.readings,
        readings_counted=counted.readings,
        duplicates=counted.duplicates,
        payload_bytes=round(said.payload_bytes / said.messages),
        simulated_seconds=simulated // 1000,
        seconds=round(took, 2),
        build_seconds=round(build_seconds, 2),
        memory_megabytes=round(memory / 2**20),
        memory_bytes_per_device=round((memory - before) / devices),
        cpu_microseconds={name: round(spent / said.messages * 1e6, 1) for name, spent in cpu.items()},
        interval_seconds=_STEP_SECONDS,
        step_seconds=_STEP_SECONDS,
        broker=broker,
        processor=processor(),
        cores=os.cpu_count() or 0,
    )


def _town(devices: int) -> Scenario:
    """Lay out a town of areas with as many meters each."""
    town: dict[str, Any] = {
        "slug": "town",
        "organisation": "bench",
        "name": "Town",
        "kind": "town",
        "geometry": {"type": "Point", "coordinates": [31.0, -10.0]},
    }
    areas = min(_AREAS, devices)
    kind = "district_metered_area"
    fleets: list[dict[str, Any]] = [
        {
            "id": f"meter-{area:02}-{{number}}",
            "name": "Meter {number}",
            "count": devices // areas + (area < devices % areas),
            "organisation": "bench",
            "site": f"area-{area}",
            "profile": "meter",
            "model": "water_meter",
            "interval_seconds": _STEP_SECONDS,
        }
        for area in range(areas)
    ]
    content: dict[str, Any] = {
        "name": "bench",
        "step_seconds": _STEP_SECONDS,
        "organisations": [{"slug": "bench", "name": "Bench", "kind": "utility"}],
        "profiles": [{"slug": "meter", "name": "Meter", "kind": "meter", "metrics": []}],
        "sites": [town, *(town | {"slug": f"area-{n}", "parent": "town", "kind": kind} for n in range(areas))],
        "fleets": fleets,
    }
    return parse_scenario(content)


def _one_step(fleet: Fleet) -> Iterator[Message]:
    return fleet.advance(fleet.grid.next(fleet.now).at)


def _generated(fleet: Fleet, seconds: float) -> float:
    """Let the fleet speak to nobody; returns messages a second."""
    started, count = time.perf_counter(), 0
    while not count or time.perf_counter() - started < seconds:
        count += sum(1 for _ in _one_step(fleet))
    return count / (time.perf_counter() - started)


def _limit(running: BrokerOnly, step: list[Message], messages: int) -> float:
    """Publish messages from a bare socket, in a process of its own; returns how many were counted a second."""
    settings = running.settings
    load = Load(
        host=settings.mqtt_host,
        port=settings.mqtt_port,
        username=settings.mqtt_username,
        password=settings.mqtt_password,
        topics=[message.topic for message in step],
        payloads=[step[number % len(step)].payload for number in range(max(messages, len(step)))],
    )
    with _Counter(settings, "limit") as counter:
        started = time.monotonic()
        sender = multiprocessing.get_context("fork").Process(target=publish, args=(load,))
        sender.start()
        sender.join()
        counted = counter.result(len(load.payloads))
    forget_session(load, "bench-count-limit")
    return counted.messages / (counted.ended - started)


def _published(running: BrokerOnly, fleet: Fleet, seconds: float) -> tuple[_Said, _Counted, float, dict[str, float]]:
    """Let the fleet speak to the broker for a while, whole steps; from the first message to the last one counted."""
    said = _Said()
    with (
        _Counter(running.settings, "fleet") as counter,
        Publisher(running.settings, threading.Event(), client_id="bench-fleet") as publisher,
    ):
        pids = {"broker": running.pid, "subscriber": counter.pid}
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        ours, started = time.process_time(), time.monotonic()
        while time.monotonic() - started < seconds:
            messages = _one_step(fleet)
            while piece := list(islice(messages, _PIECE)):
                publisher.publish_many(piece)
                said.messages += len(piece)
                said.readings += sum(message.payload.count(_READING) for message in piece)
                said.payload_bytes += sum(len(message.payload) for message in piece)
        if not publisher.flush(_PATIENCE_SECONDS):
            raise TimeoutError(f"{publisher.unacknowledged} messages are not acknowledged")
        cpu = {"simulators": time.process_time() - ours}
        counted = counter.result(said.messages)
        cpu |= {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
    return said, counted, counted.ended - started, cpu


class _Counter:
    """A subscriber in a process of its own, which acknowledges and counts."""

    def __init__(self, settings: Settings, name: str) -> None:
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        given = settings.model_copy(update={"mqtt_client_id": f"bench-count-{name}", "mqtt_shared": "never"})
        self._process = context.Process(target=_count, args=(given, theirs))

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def __enter__(self) -> Self:
        self._process.start()
        self._pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()

    def result(self, wanted: int) -> _Counted:
        """Wait until so many messages have come."""
        self._pipe.send(wanted)
        if not self._pipe.poll(_PATIENCE_SECONDS):
            raise TimeoutError(f"the subscriber did not get {wanted} messages within {_PATIENCE_SECONDS} s")
        found: _Counted = self._pipe.recv()
        return found


def _count(settings: Settings, pipe: Connection) -> None:
    gc.freeze()
    subscriber = Subscriber(settings)
    subscriber.start()
    if not subscriber.connected.wait(20):
        raise TimeoutError("no subscription within 20 s")
    pipe.send(None)
    wanted: int | None = None
    messages, readings, ended = 0, 0, time.monotonic()
    seen: set[int] = set()
    while wanted is None or messages < wanted:
        taken = subscriber.take(settings.batch_size, 1, settings.batch_delay_seconds)
        subscriber.acknowledge(taken)
        for message in taken.messages:
            readings += message.payload.count(_READING)
            seen.add(hash((message.topic, message.payload)))
        if taken.messages:
            messages += len(taken.messages)
            ended = time.monotonic()
        if wanted is None and pipe.poll():
            wanted = pipe.recv()
    pipe.send(_Counted(messages=messages, readings=readings, duplicates=messages - len(seen), ended=ended))
    pipe.recv()
