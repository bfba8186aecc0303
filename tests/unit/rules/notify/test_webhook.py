from datetime import UTC, datetime

import pytest

from rules.notify.signature import is_authentic
from rules.notify.webhook import compose, retry_after_seconds
from tests.unit.rules.notify.notifications import notification
from veldwatch.model.notifications import Channel

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        ("0", 0.0),
        ("Sun, 22 Nov 2026 10:01:30 GMT", 90.0),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("9" * 400, 999999999.0),
        ("", None),
    ],
)
def test_a_receiver_may_say_how_long_to_wait_in_seconds_or_as_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(value, NOW) == seconds


def test_every_attempt_is_signed_for_its_own_time_and_carries_the_same_identifier() -> None:
    secret = "a secret of some length"
    told = notification(4, channel=Channel.WEBHOOK, address="https://example.org/hook", secret=secret)
    headers, body = compose(told, NOW)
    assert headers["webhook-id"] == str(told.id)
    assert is_authentic(
        secret,
        message_id=headers["webhook-id"],
        timestamp=headers["webhook-timestamp"],
        signatures=headers["webhook-signature"],
        body=body,
        now=NOW,
    )


def test_a_receiver_without_a_secret_gets_no_signature() -> None:
    headers, _ = compose(notification(channel=Channel.WEBHOOK), NOW)
    assert "webhook-signature" not in headers
