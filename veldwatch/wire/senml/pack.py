"""From bytes to a pack: the records of a message in JSON or CBOR, with their labels as JSON has them.

CBOR's labels are numbers, negative for base fields; a number there may be whole, a float, a bignum, a decimal fraction
or a bigfloat. No other tag means anything in SenML, so none is made into an object.

Source: RFC 8428, sections 5 (JSON) and 6 (CBOR); RFC 8949, section 3.4.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation, localcontext
from io import BytesIO
from typing import Literal, cast

import cbor2

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.wire.values import read_json, shown

Record = Mapping[str, object]
Serialization = Literal["auto", "json", "cbor"]

_LABELS = {
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs", 0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s",
    6: "t", 7: "ut", 8: "vd",
}  # fmt: skip
_DEEPEST = 16
_SELF_DESCRIBED = b"\xd9\xd9\xf7"
"""Tag 55799. Source: RFC 8949, section 3.4.6."""
# Major types 4 (array) and 6 (tag, which may stand before any CBOR).
_CBOR_BYTES = frozenset(range(0x80, 0xA0)) | frozenset(range(0xC0, 0xE0))
# Every tag that cbor2 would make an object of, but 2 and 3 (bignums).
_TAGS = (0, 1, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000)
# A double ends at 1e309; what lies beyond is rejected as a value, and never written out.
_LARGEST_EXPONENT = 2000


def read_pack(payload: bytes, serialization: Serialization = "auto") -> list[Record]:
    """Read the records of a pack.

    Args:
        serialization: auto: told by the first byte, which no two share.

    Raises:
        MessageRejected: neither, or no list of records.
    """
    cbor = payload[:1] and payload[0] in _CBOR_BYTES if serialization == "auto" else serialization == "cbor"
    document = _read_cbor(payload) if cbor else read_json(payload)
    records = cast("list[object]", document) if isinstance(document, list) else []
    if not records:
        what = "an empty list" if isinstance(document, list) else shown(document)
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"the payload is {what} (expected a list of SenML records)")
    return [_labelled(record, place) if cbor else _json_record(record, place) for place, record in enumerate(records)]


def _json_record(record: object, place: int) -> Record:
    if not isinstance(record, dict):
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"record {place} is {shown(record)} (expected an object)")
    return cast("Record", record)


def _labelled(record: object, place: int) -> Record:
    if not isinstance(record, dict):
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"record {place} is {shown(record)} (expected a map)")
    named: dict[str, object] = {}
    for label, value in cast("dict[object, object]", record).items():
        if isinstance(label, str):
            named.setdefault(label, value)
        elif isinstance(label, int) and not isinstance(label, bool):
            if label in _LABELS:  # the table is conclusive: another number is ignored, as an unknown label is
                named[_LABELS[label]] = value
        else:
            raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"record {place}: {shown(label)} is no label")
    return named


def _read_cbor(payload: bytes) -> object:
    payload = payload.removeprefix(_SELF_DESCRIBED)
    stream = BytesIO(payload)
    try:
        decoder = cbor2.CBORDecoder(
            stream, max_depth=_DEEPEST, allow_duplicate_keys=False, semantic_decoders=_SEMANTICS, tag_hook=_unknown_tag
        )
        document: object = decoder.decode()
    except (cbor2.CBORDecodeError, RecursionError, MemoryError) as error:
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"no CBOR: {error}"[:200]) from error
    if stream.tell() != len(payload):
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"{len(payload) - stream.tell()} bytes after the document")
    return document


class _Tagged:
    """A value under a tag that means nothing here; no check takes it for a value."""

    def __repr__(self) -> str:
        return "a tagged value"


def _unknown_tag(tag: object, immutable: bool) -> _Tagged:
    del tag, immutable
    return _Tagged()


def _fraction(base: int) -> Callable[[object, bool], object]:
    """Read [exponent, mantissa]: tag 4 has base 10, tag 5 base 2."""

    def read(value: object, immutable: bool) -> object:
        del immutable
        parts = cast("list[object]", value) if isinstance(value, (list, tuple)) else []
        whole = [part for part in parts if isinstance(part, int) and not isinstance(part, bool)]
        if len(parts) != 2 or len(whole) != 2 or abs(whole[0]) > _LARGEST_EXPONENT or abs(whole[1]) >= 2**64:
            return _Tagged()
        try:
            with localcontext(prec=60):
                return float(Decimal(whole[1]) * Decimal(base) ** whole[0])
        except (InvalidOperation, OverflowError):
            return _Tagged()

    return read


_SEMANTICS: Mapping[int, Callable[[object, bool], object]] = {
    **dict.fromkeys(_TAGS, _unknown_tag),
    4: _fraction(10),
    5: _fraction(2),
}
