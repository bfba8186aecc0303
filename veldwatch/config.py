"""Settings: environment variables `VELDWATCH_*` over one TOML file, validated before anything starts.

A secret may also come from the file that `VELDWATCH_<SETTING>_FILE` names (`veldwatch.secret_settings`).

The file is the one that `VELDWATCH_CONFIG` names, else `$VELDWATCH_HOME/veldwatch.toml` if it exists.
`docs/reference/settings.md` is generated from the descriptions here.
"""

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.explanation import Patience
from veldwatch.patterns import check_pattern
from veldwatch.secret_settings import SECRET, SecretFiles, is_secret, with_password
from veldwatch.settings_file import read_settings_file, settings_file

_FIELD = re.compile(r'for field "(\w+)"')

Port = Annotated[int, Field(ge=0, le=65535)]
# An empty environment variable is how Compose says that something is not set.
OptionalPath = Annotated[Path | None, BeforeValidator(lambda value: value or None)]


class Source(BaseModel, frozen=True, extra="forbid"):
    """Which decoder reads the messages of which topics, and what it may assume."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    topic_filter: str = Field(description="MQTT topic filter, `+` and `#` allowed")
    decoder: str = Field(description="name of an entry point in the group `veldwatch.decoders`")
    options: dict[str, Any] = Field(
        default_factory=dict, description="what the decoder is told; each decoder has its own"
    )
    organisation: str | None = Field(
        default=None, description="slug that the devices belong to, where the topic does not name one"
    )
    register_unknown: bool | None = Field(
        default=None, description="register a device at its first message; unset: as `register_unknown_devices`"
    )
    register_as: Literal["pending", "active"] = Field(
        default="pending", description="pending: its data are stored, and a person confirms or refuses it"
    )
    device_pattern: str | None = Field(
        default=None,
        max_length=512,
        description="regular expression (RE2: no look-around) that a device's whole identifier must match to be"
        " registered by its message",
    )
    registrations_per_hour: NonNegativeInt | None = Field(
        default=None,
        description="devices of one organisation that may register themselves within an hour; 0: any number; unset: as"
        " the setting",
    )

    @field_validator("device_pattern")
    @classmethod
    def check_pattern(cls, pattern: str | None) -> str | None:
        """Refuse what is no regular expression.

        Raises:
            ValueError: saying where it goes wrong.
        """
        check_pattern(pattern or "")
        return pattern


DEFAULT_SOURCES = (
    Source(name="veldwatch", topic_filter="veldwatch/v1/#", decoder="veldwatch"),
    Source(name="wmbusmeters", topic_filter="wmbusmeters/#", decoder="wmbusmeters"),
    Source(name="chirpstack", topic_filter="application/+/device/+/event/+", decoder="chirpstack"),
    Source(name="owntracks", topic_filter="owntracks/+/+/#", decoder="owntracks"),
    Source(name="sparkplug", topic_filter="spBv1.0/#", decoder="sparkplug"),
    Source(name="senml", topic_filter="senml/#", decoder="senml"),
    Source(name="sparkplug-certificates", topic_filter="$sparkplug/certificates/#", decoder="sparkplug"),
    Source(name="things-stack", topic_filter="v3/+/devices/#", decoder="things_stack"),
    Source(name="tasmota", topic_filter="tele/#", decoder="tasmota"),
    Source(name="tasmota-answers", topic_filter="stat/#", decoder="tasmota"),
    # What the bridge lists of a large network is longer than any payload limit.
    Source(name="zigbee2mqtt-info", topic_filter="zigbee2mqtt/bridge/info", decoder="ignored"),
    Source(name="zigbee2mqtt-devices", topic_filter="zigbee2mqtt/bridge/devices", decoder="ignored"),
    Source(name="zigbee2mqtt-definitions", topic_filter="zigbee2mqtt/bridge/definitions", decoder="ignored"),
    Source(name="zigbee2mqtt", topic_filter="zigbee2mqtt/#", decoder="zigbee2mqtt"),
    Source(name="dsmr", topic_filter="dsmr/#", decoder="dsmr"),
    Source(name="ngsi", topic_filter="ngsi/#", decoder="ngsi"),
    Source(name="gundi", topic_filter="gundi/#", decoder="gundi"),
    Source(name="earthranger", topic_filter="earthranger/#", decoder="earthranger"),
    Source(name="rtl-433", topic_filter="rtl_433/#", decoder="rtl_433"),
    Source(name="meshtastic", topic_filter="msh/#", decoder="meshtastic"),
    Source(name="chirpstack-commands", topic_filter="application/+/device/+/command/#", decoder="ignored"),
    Source(name="tasmota-commands", topic_filter="cmnd/#", decoder="ignored"),
    Source(name="tasmota-discovery", topic_filter="tasmota/discovery/#", decoder="ignored"),
    Source(name="home-assistant-discovery", topic_filter="homeassistant/#", decoder="ignored"),
    # Shelly's topics have no prefix of their own: last, so that they take nothing that another source knows.
    Source(name="shelly", topic_filter="+/status/+", decoder="shelly"),
    Source(name="shelly-notifications", topic_filter="+/events/rpc", decoder="shelly"),
    Source(name="shelly-online", topic_filter="+/online", decoder="shelly"),
    # The prefix that the first generation has; who has both generations mostly gives it to the later one too.
    Source(name="shellies", topic_filter="shellies/+/status/+", decoder="shelly"),
    Source(name="shellies-notifications", topic_filter="shellies/+/events/rpc", decoder="shelly"),
    Source(name="shellies-online", topic_filter="shellies/+/online", decoder="shelly"),
)


class Settings(BaseSettings):
    """Everything that can be set, with units and consequences."""

    model_config = SettingsConfigDict(env_prefix="VELDWATCH_", extra="forbid", frozen=True)

    home: Path = Field(
        default=Path(".veldwatch"),
        description="state folder of the embedded services; may be wiped when all is stopped",
    )
    dsn: str = Field(
        default="",
        json_schema_extra=SECRET,
        description="PostgreSQL connection string; empty: the embedded server of `veldwatch up`",
    )
    dsn_password: str = Field(
        default="", json_schema_extra=SECRET, description="password of `dsn`, where that holds none"
    )

    broker: Literal["auto", "nats", "mosquitto", "external"] = Field(
        default="auto",
        description="the broker that `up` and `demo` start; auto: nats; external: none, the one at `mqtt_host` is used",
    )
    broker_sync: Literal["second", "always"] = Field(
        default="second",
        description="embedded nats: when messages are forced to the disk. always survives a power cut without loss,"
        " at a quarter of the throughput; a killed broker loses nothing either way",
    )
    mqtt_host: str = "127.0.0.1"
    mqtt_port: Port = Field(default=1883, description="0: any free port (embedded broker only)")
    mqtt_username: str = ""
    mqtt_password: str = Field(default="", json_schema_extra=SECRET)
    mqtt_public_address: str = Field(
        default="",
        pattern=r"^$|^[^\s/@]+:[0-9]{1,5}$",
        description="HOST:PORT by which devices reach the broker, shown with new credentials; empty: `mqtt_host` and"
        " `mqtt_port`",
    )
    mqtt_tls: bool = Field(default=False, description="TLS to the broker, verified against the system's authorities")
    mqtt_ca_file: OptionalPath = Field(
        default=None, description="certificate of the authority that signed the broker's, instead of the system's"
    )
    mqtt_certificate_file: OptionalPath = Field(
        default=None, description="client certificate of ingest and simulators, for a broker that asks for one"
    )
    mqtt_key_file: OptionalPath = Field(default=None, description="key of the client certificate; unset: in its file")
    mqtt_protocol: Literal["auto", "5", "3.1.1"] = Field(default="auto", description="auto: 5, falling back to 3.1.1")
    mqtt_shared: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="shared subscription, so that several ingestors split the load; auto: if the broker has it",
    )
    mqtt_client_id: str = Field(
        default="veldwatch-ingest",
        json_schema_extra=SECRET,
        description="fixed, so that the broker keeps the session. Where devices have accounts nobody else may know it:"
        " who connects with it takes the session over, and Mosquitto then drops what waits in it",
    )
    subscriptions: tuple[str, ...] = Field(
        default=("#",), description="topic filters that ingest subscribes to; a message without a source is quarantined"
    )
    sources: tuple[Source, ...] = Field(
        default=DEFAULT_SOURCES,
        description="first match wins; they are asked after those of the database, which hide theirs by name",
    )
    default_organisation: str = Field(default="default", description="slug for sources that name no organisation")
    register_unknown_devices: bool = Field(default=False, description="for sources that leave it unset")
    registrations_per_hour: NonNegativeInt = Field(
        default=10_000,
        description="devices of one organisation that may register themselves within an hour, for sources that leave it"
        " unset: the messages of more go to quarantine; 0: any number",
    )

    batch_size: PositiveInt = Field(default=5000, le=50000, description="messages committed at once, at most")
    batch_delay_seconds: float = Field(
        default=0.05, ge=0, le=10, description="the longest that a message waits for others"
    )
    in_flight: PositiveInt = Field(
        default=10000, le=65535, description="messages that the broker may have unacknowledged here: bounds memory"
    )
    payload_limit_bytes: PositiveInt = Field(default=262144, description="longer payloads are quarantined, cut to this")

    quarantine_messages: PositiveInt = Field(
        default=1_000_000, description="kept for each reason and source; beyond it, new ones are only counted"
    )
    quarantine_megabytes: PositiveInt = Field(
        default=1024, description="of payloads kept for each reason and source; beyond it, new ones are only counted"
    )
    quarantine_days: PositiveInt = Field(
        default=90,
        description="quarantined messages that were replayed or discarded longer ago are dropped, and only counted;"
        " those that wait are never dropped",
    )

    retention_days: PositiveInt | None = Field(
        default=None,
        description="raw readings, positions, events and contacts older than this are dropped, by whole months or"
        " chunks; rollups stay; unset: nothing is dropped",
    )

    api_host: str = "127.0.0.1"
    api_port: Port = Field(default=8000, description="API and console; 0: any free port")
    api_trusted_proxies: str = Field(
        default="127.0.0.1,::1",
        description="addresses and networks, with commas between, whose `X-Forwarded-For` and `X-Forwarded-Proto` the"
        " API believes; from anybody else they are ignored",
    )
    metrics_port: Port = Field(
        default=0, description="`/metrics` and `/healthz` of programs other than the API; 0: off"
    )

    smtp_host: str = Field(default="", description="empty: no e-mail is sent")
    smtp_port: Port = 25
    smtp_username: str = ""
    smtp_password: str = Field(default="", json_schema_extra=SECRET)
    smtp_starttls: bool = False
    mail_from: str = "veldwatch@localhost"
    mailbox_path: Path | None = Field(default=None, description="Maildir that the console shows (demo only)")
    console_url: str = Field(default="http://127.0.0.1:8000", description="address for links in messages")
    news_age_seconds: PositiveInt = Field(
        default=6 * 3600, description="an alert recorded later than this after its time is told as history, not as news"
    )

    explanation_tolerance_seconds: NonNegativeInt = Field(
        default=900,
        description="a silence may have begun so long before the power cut, gateway fault or planned interruption that"
        " explains it; longer for devices that report more seldom",
    )
    explanation_grace_seconds: NonNegativeInt = Field(
        default=600,
        description="after that a device has so long to come back before its silence is told all the same; longer for"
        " rules that wait longer for a report",
    )
    settling_seconds: NonNegativeInt = Field(
        default=60, description="news of silence waits so long before it is told, so that its cause can become known"
    )
    group_wait_seconds: NonNegativeInt = Field(
        default=5,
        description="other news waits so long, so that what belongs to one incident goes out as one message; 0: not",
    )

    rule_workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="among how many rules programs the subjects are divided: `up` starts so many, otherwise start as"
        " many, each with the same number. A program that finds every place taken stands by",
    )
    rule_snapshot_seconds: PositiveInt = Field(
        default=600,
        description="a fold that moved on uneventfully is saved at the latest so long after; what changes an alert is"
        " saved with it. Shorter: less is read again after a crash; longer: less is written",
    )
    rule_history_days: NonNegativeInt = Field(
        default=0,
        description="how much stored history a rule folds when it is applied; 0: all of it, so that it does not matter"
        " whether data are imported before or after",
    )

    backup_folder: OptionalPath = Field(
        default=None,
        description="where `veldwatch backup --daily` writes: `veldwatch doctor` then tells how old the newest one is",
    )

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"

    @model_validator(mode="before")
    @classmethod
    def put_password_in(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Complete the connection string, so that whoever connects has it whole."""
        dsn, password = given.get("dsn"), given.get("dsn_password")
        if not (isinstance(dsn, str) and dsn and isinstance(password, str) and password):
            return given
        return {**given, "dsn": with_password(dsn, password), "dsn_password": ""}

    def device_mqtt_address(self) -> tuple[str, int]:
        """Say by which host and port devices reach the broker."""
        host, _, port = self.mqtt_public_address.rpartition(":")
        return (host, int(port)) if host else (self.mqtt_host, self.mqtt_port)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the library passes it
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the environment over the TOML file, and arguments over both."""
        toml = InitSettingsSource(settings_cls, read_settings_file(settings_file(os.environ)))
        return (init_settings, SecretFiles(settings_cls), env_settings, toml)


def load_settings(**overrides: object) -> Settings:
    """Read and validate the settings.

    Raises:
        ConfigurationInvalid: naming every setting that is wrong, its value unless that may be a secret, and what was
            expected.
    """
    try:
        return Settings(**overrides)  # pyright: ignore[reportArgumentType]  # pydantic validates them
    except ValidationError as error:
        raise ConfigurationInvalid(
            "; ".join(_sentence(e["loc"], e["input"], e["type"], e["msg"]) for e in error.errors())
        ) from error
    except SettingsError as error:
        # Of the library's message only the field: what it could not read may be a secret.
        found = _FIELD.search(str(error))
        variable = f"VELDWATCH_{found[1].upper()}" if found else "settings"
        raise ConfigurationInvalid(f"bad {variable}: a value that is not shown (expected JSON)") from error


def secret_variables() -> list[str]:
    """List the variables that a file may stand for, which the same name with `_FILE` names."""
    return [f"VELDWATCH_{name.upper()}" for name, field in Settings.model_fields.items() if is_secret(field)]


def patience_of(settings: Settings) -> Patience:
    """Give how exact times are taken to be where one alert explains another."""
    return Patience(
        tolerance=timedelta(seconds=settings.explanation_tolerance_seconds),
        grace=timedelta(seconds=settings.explanation_grace_seconds),
    )


def _sentence(location: tuple[int | str, ...], value: object, kind: str, message: str) -> str:
    name = "VELDWATCH_" + ".".join(str(part) for part in location).upper()
    if not location:
        return f"bad settings: {message}"
    if kind == "extra_forbidden":
        where = f", in {str(settings_file(os.environ))!r}" if len(location) == 1 else ""
        return f"bad {name}: there is no such setting (correct its name, or remove it{where})"
    return f"bad {name}: {_shown(location, value)} ({message[0].lower()}{message[1:]})"


def _shown(location: tuple[int | str, ...], value: object) -> str:
    """Quote a value, unless it is a secret or may have one in it."""
    field = Settings.model_fields.get(str(location[0]))
    if field is None or is_secret(field):
        return "a secret"
    # What decoders are told, and tables as a whole: keys of meters among it.
    is_plain = value is None or isinstance(value, (str, int, float))
    return repr(value) if is_plain and "options" not in location else "a value that is not shown"
