"""From a body in our own form to messages: each item names its device, and becomes what the device would publish.

An item is passed on byte for byte, so that what is stored, and what stands in quarantine, is what was sent.
"""

from datetime import datetime

import msgspec

from ingest.http.access import Sender
from veldwatch.errors import MessageRejected, NotPermitted, RequestInvalid
from veldwatch.model.telemetry import Message
from veldwatch.wire.topics import Kind, topic_for

ITEMS_AT_MOST = 10_000

# A shorter body has its items counted when they are there: they take 30 MB. Each takes 90 bytes, and may be of three.
_SHORT_BYTES = 2**20


class _Address(msgspec.Struct):
    device: str | None = None
    organisation: str | None = None


_items = msgspec.json.Decoder(list[msgspec.Raw])
_address = msgspec.json.Decoder(_Address)


def messages_of(body: bytes, kind: Kind, sender: Sender, received_at: datetime) -> list[Message]:
    """Make a message of each item.

    Raises:
        RequestInvalid: the body is not what is expected, or an item does not say whose it is; nothing is stored.
        NotPermitted: an item is another's; nothing is stored.
    """
    items = _read(body)
    if not items:
        raise RequestInvalid("an empty list (expected at least one item)")
    _check_count(len(items))
    messages: list[Message] = []
    for place, item in enumerate(items):
        try:
            topic = _topic(_address.decode(item), kind, sender)
        except msgspec.MsgspecError as error:
            raise RequestInvalid(f"bad item {place}: {error} (expected an object with `device`)") from error
        except (RequestInvalid, MessageRejected) as error:
            raise RequestInvalid(f"bad item {place}: {error}") from error
        sender.check(topic, None)
        messages.append(Message(topic, bytes(item), received_at, sender_organisation=sender.writes_for))
    return messages


def _read(body: bytes) -> list[msgspec.Raw]:
    try:
        if body.lstrip()[:1] == b"[":
            if len(body) > _SHORT_BYTES:
                _count(body)
            return _items.decode(body)
        return [msgspec.json.decode(body, type=msgspec.Raw)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RequestInvalid(f"the body is not JSON: {error} (expected an object, or a list of objects)") from error


def _count(body: bytes) -> None:
    """Stop reading at the first item too many, or at one that is no object."""
    count = 0

    class Counted(msgspec.Struct):
        def __post_init__(self) -> None:
            nonlocal count
            count += 1
            _check_count(count)

    msgspec.json.decode(body, type=list[Counted])


def _check_count(count: int) -> None:
    if count > ITEMS_AT_MOST:
        raise RequestInvalid(f"more than {ITEMS_AT_MOST} items (send them in several requests)")


def _topic(address: _Address, kind: Kind, sender: Sender) -> str:
    organisation = address.organisation or sender.organisation
    device = address.device or sender.device
    if not device:
        raise RequestInvalid("no `device` (expected the device's own identifier, its external id)")
    if not organisation:
        raise RequestInvalid("no `organisation` (expected a slug: your token is for all of them)")
    if sender.organisation is not None and organisation != sender.organisation:
        raise NotPermitted(f"{sender.name!r} is for organisation {sender.organisation!r} alone")
    return topic_for(organisation, device, kind)
