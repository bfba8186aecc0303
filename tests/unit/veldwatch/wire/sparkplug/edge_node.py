"""An edge node of our own, which writes what the decoder reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from veldwatch.model.telemetry import Decoded
from veldwatch.wire.sparkplug.decoder import SparkplugDecoder, configure
from veldwatch.wire.sparkplug.memory import EdgeNode
from veldwatch.wire.sparkplug.payload_pb2 import Payload
from veldwatch.wire.sparkplug.values import DataType
from veldwatch.wire.stateful import StatefulDecoder

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)

_FIELDS = {
    DataType.FLOAT: "float_value", DataType.DOUBLE: "double_value", DataType.BOOLEAN: "boolean_value",
    DataType.STRING: "string_value", DataType.TEXT: "string_value", DataType.UUID: "string_value",
    DataType.DATE_TIME: "long_value", DataType.INT64: "long_value", DataType.UINT64: "long_value",
    DataType.UINT32: "long_value", DataType.BYTES: "bytes_value", DataType.FILE: "bytes_value",
    DataType.DATA_SET: "dataset_value", DataType.TEMPLATE: "template_value",
}  # fmt: skip


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def metric(
    name: str | None,
    value: object = None,
    datatype: DataType | None = DataType.DOUBLE,
    *,
    alias: int | None = None,
    at: datetime | None = None,
    field: str = "",
    is_null: bool | None = None,
    is_transient: bool | None = None,
    is_historical: bool | None = None,
) -> Payload.Metric:
    """Write a metric as the specification says; `field` overrides the one that the datatype asks for."""
    made = Payload.Metric(
        name=name,
        alias=alias,
        datatype=datatype,
        is_null=is_null,
        is_transient=is_transient,
        is_historical=is_historical,
    )
    if at is not None:
        made.timestamp = milliseconds(at)
    if value is None:
        return made
    place = field or _FIELDS.get(datatype or DataType.DOUBLE, "bytes_value" if (datatype or 0) > 21 else "int_value")
    if isinstance(value, int) and not isinstance(value, bool):
        value %= 2 ** (64 if place == "long_value" else 32)
    if isinstance(value, (Payload.DataSet, Payload.Template)):
        getattr(made, place).CopyFrom(value)
    else:
        setattr(made, place, value)
    return made


def bd_seq(number: int) -> Payload.Metric:
    return metric("bdSeq", number, DataType.INT64)


def with_property(made: Payload.Metric, key: str, value: str | int) -> Payload.Metric:
    made.properties.keys.append(key)
    text = isinstance(value, str)
    made.properties.values.add(
        type=DataType.STRING if text else DataType.INT32,
        string_value=value if text else None,
        int_value=None if text else value,
    )
    return made


@dataclass
class Wire:
    """Sends messages of the edge node `g/e` to a decoder, as a broker and an ingestor would."""

    decoder: StatefulDecoder[EdgeNode] = field(default_factory=lambda: _decoder({}))
    memory: EdgeNode | None = None
    now: datetime = NOW
    seq: int = 0

    def send(
        self,
        kind: str,
        *metrics: Payload.Metric,
        device: str = "",
        seq: int | None = None,
        at: datetime | None = None,
        counted: bool = True,
    ) -> Decoded:
        """Send a message; numbers count by themselves unless `seq` says otherwise."""
        if kind == "NBIRTH":
            self.seq = 0
        payload = Payload(timestamp=milliseconds(at or self.now), metrics=metrics)
        if counted:
            payload.seq = self.seq if seq is None else seq
            self.seq = (payload.seq + 1) % 256
        topic = f"spBv1.0/g/{kind}/e" + (f"/{device}" if device else "")
        return self.receive(topic, payload.SerializeToString())

    def receive(self, topic: str, payload: bytes) -> Decoded:
        self.now += timedelta(seconds=1)
        before = self.decoder.blank() if self.memory is None else self.memory
        self.memory, decoded = self.decoder.decode(before, topic, payload, self.now)
        return decoded

    def born(self, *metrics: Payload.Metric, session: int = 0) -> Decoded:
        return self.send("NBIRTH", bd_seq(session), *metrics)

    def restarted(self) -> None:
        """Let the memory go through its bytes."""
        assert self.memory is not None
        head, parts = self.decoder.changes(self.decoder.blank(), self.memory)
        self.memory = self.decoder.restore(
            head, {name: content for name, content in parts.items() if content is not None}
        )


def made(**options: object) -> StatefulDecoder[EdgeNode]:
    return _decoder(options)


def _decoder(options: Mapping[str, object]) -> StatefulDecoder[EdgeNode]:
    decoder = configure(options)
    assert isinstance(decoder, SparkplugDecoder)
    return decoder


def values(decoded: Decoded) -> dict[str, float]:
    return {reading.metric: reading.value for reading in decoded.readings}


def told(decoded: Decoded) -> list[tuple[str, str]]:
    return [(event.kind, event.attributes) for event in decoded.events]


def reasons(decoded: Decoded) -> list[str]:
    return [rejection.reason.value for rejection in decoded.rejections]
