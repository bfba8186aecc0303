"""The whole stack on one machine: database, broker and programs, started in order, kept running, stopped in order.

The database and the broker are embedded unless the settings name others. `run.json` is there from when everything
answers until the stop.
"""

import contextlib
import http.client
import os
import signal
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass

from launch.account_watch import AccountWatch
from launch.accounts import lock_folder
from launch.embedded_broker import EmbeddedBroker
from launch.embedded_postgres import EmbeddedPostgres
from launch.log_files import make_folder
from launch.operator_token import operator_token
from launch.ports import choose_port
from launch.programs import BROKER, DATABASE, MAILBOX, PROGRAMS, SIMULATORS, STAGES, passed_on, program, rules_programs
from launch.progress import Progress
from launch.run_file import Run, remove_run_file, write_run_file
from launch.services import EmbeddedService, kept_client_id, tail
from launch.supervisor import Supervisor
from veldwatch.config import Settings
from veldwatch.errors import ServiceFailed
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.migrate import migrate

_TICK_SECONDS = 0.1
_START_SECONDS = 90.0
# One death while starting may be an accident; three are a fault that restarting does not mend.
_DEATHS_WHILE_STARTING = 3


_SIMULATED = {
    "VELDWATCH_REGISTER_UNKNOWN_DEVICES": "true",
    # The demonstration's devices report every few seconds, and its rules wait less than a minute.
    "VELDWATCH_SETTLING_SECONDS": "5",
    "VELDWATCH_EXPLANATION_GRACE_SECONDS": "60",
}


class Stopped(Exception):
    """The stack was told to stop while it started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where programs reach the broker."""

    host: str
    port: int
    username: str
    password: str


class Stack:
    """Everything that `up` and `demo` start; use it from the main thread.

    Args:
        stop: when set, the stack stops, also while it starts.
        prepare: called with a connection to the migrated database before the programs start.
        simulated: run the simulators and the mailbox too, and register unknown devices by themselves.
    """

    def __init__(
        self,
        settings: Settings,
        stop: threading.Event,
        progress: Progress,
        *,
        simulated: bool = False,
        prepare: Callable[[Connection], str] | None = None,
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._progress = progress
        self._simulated = simulated
        self._prepare = prepare
        self._home = settings.home.resolve()
        self._services: list[EmbeddedService] = []
        self._supervisor = Supervisor(self._home / "logs", STAGES, progress.warn)
        self._broker: EmbeddedBroker | None = None
        self._accounts_changed = threading.Event()

    def run(self) -> None:
        """Start everything, keep it running until told to stop, and stop it.

        Raises:
            ServiceFailed: something does not start; what was started is stopped.
        """
        with self._owned_home():
            try:
                self._start()
                while not self._stop.wait(_TICK_SECONDS):
                    self._tend()
                self._progress.say("stopping")
            except Stopped:
                self._progress.say("stopping")
            finally:
                remove_run_file(self._home)
                self._supervisor.stop()
                for service in self._services:
                    service.release()

    @contextlib.contextmanager
    def _owned_home(self) -> Generator[None]:
        self._home.mkdir(parents=True, exist_ok=True, mode=0o711)
        make_folder(self._home / "logs")
        lock = lock_folder(self._home)
        if lock is None:
            raise ServiceFailed(f"another veldwatch runs in {str(self._home)!r} (stop it, or set VELDWATCH_HOME)")
        try:
            yield
        finally:
            os.close(lock)

    def _start(self) -> None:
        remove_run_file(self._home)  # of a launcher that was killed
        dsn = self._start_database()
        broker = self._start_broker()
        token = self._migrate(dsn)
        self._follow_accounts(dsn)
        api = self._start_programs(dsn, broker)

        def describe() -> None:
            run = Run(
                api=api,
                mqtt_host=broker.host,
                mqtt_port=broker.port,
                mqtt_username=broker.username,
                mqtt_password=broker.password,
                dsn=dsn,
                token=token,
                pids={"launcher": os.getpid(), **self._supervisor.pids},
            )
            write_run_file(self._home, run)

        self._supervisor.changed = describe
        describe()
        self._progress.say(f"\nVeldwatch runs. Console: {api}/#token={token}")
        self._progress.say(f"MQTT: {broker.host}:{broker.port}, name {broker.username!r}; all addresses and passwords")
        self._progress.say(f"are in {self._home / 'run.json'}, logs in {self._home / 'logs'}. Ctrl-C stops everything.")

    def _start_database(self) -> str:
        if self._settings.dsn:
            return self._settings.dsn
        if not (self._home / "database").exists() and not (self._home / "elsewhere").exists():
            self._progress.say(f"first start: setting up in {self._home}")
        postgres = EmbeddedPostgres(self._home)
        self._start_service(postgres, "database", DATABASE)
        postgres.create_database("veldwatch")
        self._progress.step("database", f"PostgreSQL on port {postgres.port}")
        return postgres.dsn()

    def _start_broker(self) -> Broker:
        settings = self._settings
        if settings.broker == "external":
            return Broker(
                host=settings.mqtt_host,
                port=settings.mqtt_port,
                username=settings.mqtt_username,
                password=settings.mqtt_password,
            )
        broker = EmbeddedBroker(
            self._home,
            choose_port(settings.mqtt_port),
            kind="mosquitto" if settings.broker == "mosquitto" else "nats",
            username=settings.mqtt_username,
            password=settings.mqtt_password,
            sync=settings.broker_sync,
        )
        self._start_service(broker, "broker", BROKER)
        self._broker = broker
        self._progress.step("broker", f"MQTT on port {broker.port}{_instead(settings.mqtt_port, broker.port)}")
        return Broker(host="127.0.0.1", port=broker.port, username=broker.username, password=broker.password)

    def _follow_accounts(self, dsn: str) -> None:
        """Keep the embedded broker's accounts as the register says, from a thread that ends with us."""
        if self._broker is None:
            return
        watch = AccountWatch(dsn, self._broker.account_files, self._accounts_changed.set)
        threading.Thread(target=watch.run, args=(self._stop,), name="accounts", daemon=True).start()
        self._wait("broker", watch.written.is_set)

    def _tend(self) -> None:
        self._supervisor.tend()
        if self._accounts_changed.is_set():
            self._accounts_changed.clear()
            self._supervisor.signal("broker", signal.SIGHUP)

    def _start_service(self, service: EmbeddedService, name: str, stage: int) -> None:
        self._services.append(service)
        self._supervisor.start(service.prepare(), stage)
        self._wait(name, service.answers)

    def _migrate(self, dsn: str) -> str:
        with connect(dsn, application="veldwatch-launch") as connection:
            report = migrate(connection)
            if report.applied:
                self._progress.step("schema", f"{len(report.applied)} migrations on {report.server}")
            if self._prepare is not None:
                self._progress.step("register", self._prepare(connection))
            return operator_token(connection, self._home)

    def _start_programs(self, dsn: str, broker: Broker) -> str:
        api_port = choose_port(self._settings.api_port, self._settings.api_host)
        host = _reachable(self._settings.api_host)
        url = f"http://{host}:{api_port}"
        environment = passed_on(self._settings, self._home) | {
            "VELDWATCH_DSN": dsn,
            "VELDWATCH_DSN_PASSWORD": "",  # it is in the address by now
            "VELDWATCH_MQTT_HOST": broker.host,
            "VELDWATCH_MQTT_PORT": str(broker.port),
            "VELDWATCH_MQTT_USERNAME": broker.username,
            "VELDWATCH_MQTT_PASSWORD": broker.password,
            "VELDWATCH_MQTT_CLIENT_ID": self._client_id(),
            "VELDWATCH_API_PORT": str(api_port),
            "VELDWATCH_CONSOLE_URL": url,
        }
        if self._simulated:
            environment |= self._start_mailbox(environment) | _SIMULATED
        ports = {"api": api_port}
        for name in ("api", "ingest", *rules_programs(self._settings.rule_workers), "notify", "maintenance"):
            own = dict(environment)
            if name != "api":
                ports[name] = choose_port(0, self._settings.api_host)
                own["VELDWATCH_METRICS_PORT"] = str(ports[name])
            self._supervisor.start(program(name, own), PROGRAMS)
        for name, port in ports.items():
            self._wait(name, lambda port=port: _is_ready(host, port))
            self._progress.step(name)
        # Last: a message that is sent before ingest has subscribed reaches nobody.
        if self._simulated:
            self._supervisor.start(program("simulators", environment), SIMULATORS)
        return url

    def _client_id(self) -> str:
        stem = self._settings.mqtt_client_id
        return stem if self._broker is None else kept_client_id(self._home, stem)

    def _start_mailbox(self, environment: dict[str, str]) -> dict[str, str]:
        added = {
            "VELDWATCH_SMTP_HOST": "127.0.0.1",
            "VELDWATCH_SMTP_PORT": str(choose_port(0)),
            "VELDWATCH_MAILBOX_PATH": str(self._home / "mailbox"),
        }
        self._supervisor.start(program("mailbox", environment | added), MAILBOX)
        return added

    def _wait(self, name: str, check: Callable[[], bool]) -> None:
        waited = 0.0
        while not check():
            if self._stop.wait(_TICK_SECONDS):
                raise Stopped
            self._tend()
            waited += _TICK_SECONDS
            if waited > _START_SECONDS or self._supervisor.failures(name) >= _DEATHS_WHILE_STARTING:
                log = self._supervisor.log(name)
                raise ServiceFailed(f"{name} does not start; the end of {log}:\n{tail(log)}")


def _is_ready(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104  # not bound here, only recognised


def _instead(wanted: int, port: int) -> str:
    return f" ({wanted} is taken)" if wanted not in (0, port) else ""
