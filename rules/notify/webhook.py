"""Webhooks: one signed POST of JSON, as Standard Webhooks describes it.

Contract: 2xx is delivered; 408, 425, 429, 5xx and anything that breaks the connection is temporary, with `Retry-After`
honoured; every other answer is permanent, and so is an address that cannot be one. Redirects are not followed: a signed
message goes to the address that an operator entered and nowhere else. Of an answer at most 2 KB are read.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from rules.notify.deadline import Deadline
from rules.notify.signature import sign
from rules.notify.wording import document
from veldwatch.errors import ConfigurationInvalid, DeliveryFailed
from veldwatch.model.notifications import Channel, check_address
from veldwatch.storage.outbox import Notification

_TIMEOUT = httpx.Timeout(5.0)
"""For each step; `WebhookChannel.longest_seconds` holds for all of them together."""
_ANSWER_LIMIT_BYTES = 2048
_ANSWER_LIMIT_SECONDS = 3.0
# Source: RFC 9110 and RFC 6585: the request may be repeated after these.
_TEMPORARY = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChannel:
    """Posts notifications to addresses that operators entered.

    Attributes:
        clock: tells the time of an attempt, which is signed.
        longest_seconds: of an attempt in all, from connecting to the answer's end.
    """

    client: httpx.Client
    clock: Callable[[], datetime]
    longest_seconds: float = 10.0

    def send(self, notification: Notification) -> str:
        """Post the message; returns the answer's status line.

        Raises:
            DeliveryFailed: with the answer's status and its first words.
        """
        try:
            check_address(Channel.WEBHOOK, notification.address)
            headers, body = compose(notification, self.clock())
        except ConfigurationInvalid as error:
            raise DeliveryFailed(str(error), permanent=True) from error
        with Deadline(self.longest_seconds) as deadline:
            try:
                return self._post(notification.address, headers, body, deadline)
            except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
                # UnicodeError: a name that cannot be asked for, which nobody foresaw.
                raise DeliveryFailed(f"bad webhook address: {error}", permanent=True) from error
            except httpx.HTTPError as error:
                late = f"no whole answer within {self.longest_seconds:g} s"
                words = late if deadline.passed else f"{type(error).__name__}: {error}"
                raise DeliveryFailed(words, permanent=False) from error

    def _post(self, address: str, headers: dict[str, str], body: bytes, deadline: Deadline) -> str:
        def trace(event: str, details: Mapping[str, Any]) -> None:
            if event == "connection.connect_tcp.complete":
                deadline.watch(details["return_value"].get_extra_info("socket"))

        # One message, one connection, as the deadline watches the one that was made for it.
        alone = {**headers, "connection": "close"}
        extensions = {"trace": trace}
        with self.client.stream("POST", address, content=body, headers=alone, extensions=extensions) as answer:
            if answer.is_success:
                return _status(answer)
            raise _refusal(answer, self.clock())


def new_client() -> httpx.Client:
    """Make the client that all webhooks share."""
    return httpx.Client(timeout=_TIMEOUT, follow_redirects=False, headers={"User-Agent": "veldwatch"})


def compose(notification: Notification, now: datetime) -> tuple[dict[str, str], bytes]:
    """Write headers and body of an attempt: the body is the same each time, timestamp and signature are not."""
    body = document(notification)
    timestamp = int(now.timestamp())
    headers = {
        "content-type": "application/json",
        "webhook-id": str(notification.id),
        "webhook-timestamp": str(timestamp),
    }
    if notification.secret is not None:
        headers["webhook-signature"] = sign(notification.secret, str(notification.id), timestamp, body)
    return headers, body


def retry_after_seconds(value: str | None, now: datetime) -> float | None:
    """Read a `Retry-After` header: seconds or a date; None when it is absent or neither.

    Source: RFC 9110, section 10.2.3.
    """
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


def _refusal(answer: httpx.Response, now: datetime) -> DeliveryFailed:
    temporary = answer.status_code in _TEMPORARY or answer.status_code >= 500
    words = "redirects are not followed: enter the final address" if answer.is_redirect else _first_words(answer)
    return DeliveryFailed(
        f"{_status(answer)}: {words}",
        permanent=not temporary,
        retry_after_seconds=retry_after_seconds(answer.headers.get("retry-after"), now) if temporary else None,
    )


def _status(answer: httpx.Response) -> str:
    return f"HTTP {answer.status_code} {answer.reason_phrase}"[:200]


def _first_words(answer: httpx.Response) -> str:
    """Read the beginning of an answer that may be endless or drip."""
    until = time.monotonic() + _ANSWER_LIMIT_SECONDS
    received = b""
    try:
        for chunk in answer.iter_raw(256):
            received += chunk
            if len(received) >= _ANSWER_LIMIT_BYTES or time.monotonic() > until:
                break
    except httpx.HTTPError:
        return received[:200].decode("utf-8", "replace")
    return received[:200].decode("utf-8", "replace")
