"""Our definition of the payload is the official one: same fields, numbers and types."""

import re
from pathlib import Path

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto

from veldwatch.wire.sparkplug.payload_pb2 import Payload

_LINE = re.compile(
    r"\s*(?:message (?P<message>\w+) *\{(?P<closed>\})?|(?P<end>\})|oneof (?P<oneof>\w+) *\{|(?P<other>enum .*\{)|"
    r"(?:(?P<label>optional|repeated) +)?(?P<type>\w+) +(?P<name>\w+) *= *(?P<number>\d+) *;)"
)
_TYPES = {getattr(FieldDescriptorProto, f"TYPE_{name.upper()}"): name for name in (
    "uint32", "uint64", "float", "double", "bool", "string", "bytes",
)}  # fmt: skip

Field = tuple[str, str, str, int, bool]
"""Message, type, name, number, repeated."""


def written(text: str) -> set[Field]:
    """Read the fields of a definition."""
    fields: set[Field] = set()
    path: list[str] = []
    for line in text.splitlines():
        match = _LINE.match(line.partition("//")[0])
        if match is None:
            continue
        if match["message"] or match["oneof"] or match["other"]:
            if not match["closed"]:
                path.append(match["message"] or "")
        elif match["end"]:
            path.pop()
        elif any(path):
            where = ".".join(name for name in path if name)
            fields.add((where, match["type"], match["name"], int(match["number"]), match["label"] == "repeated"))
    return fields


def described(message: DescriptorProto, path: str = "") -> set[Field]:
    """List the fields of the generated class."""
    where = f"{path}.{message.name}" if path else message.name
    fields = {
        (where, _TYPES.get(f.type) or f.type_name.rpartition(".")[2], f.name, f.number, f.label == f.LABEL_REPEATED)
        for f in message.field
    }
    return fields.union(*(described(nested, where) for nested in message.nested_type))


def generated() -> set[Field]:
    made = DescriptorProto()
    Payload.DESCRIPTOR.CopyToProto(made)
    return described(made)


def test_the_generated_module_is_that_of_our_definition() -> None:
    ours = Path(__file__).parents[5] / "veldwatch" / "wire" / "sparkplug" / "payload.proto"
    assert generated() == written(ours.read_text(encoding="utf-8"))


def test_our_definition_is_the_official_one(samples: Path) -> None:
    official = samples / "standards" / "sparkplug-b" / "sparkplug_b.proto"
    assert written(official.read_text(encoding="utf-8")) == generated()
