from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.notify.signature import is_authentic, new_secret, sign
from veldwatch.errors import ConfigurationInvalid

# Source: the test vector that implementations of Standard Webhooks share.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'
TIMESTAMP = 1614265330
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
SENT = datetime.fromtimestamp(TIMESTAMP, UTC)


def authentic(**changes: object) -> bool:
    fields: dict[str, object] = {
        "message_id": MESSAGE_ID,
        "timestamp": str(TIMESTAMP),
        "signatures": SIGNATURE,
        "body": BODY,
        "now": SENT,
    }
    return is_authentic(SECRET, **(fields | changes))  # pyright: ignore[reportArgumentType]  # one field at a time


def test_a_signature_is_what_the_specification_says() -> None:
    assert sign(SECRET, MESSAGE_ID, TIMESTAMP, BODY) == SIGNATURE


def test_a_message_of_ours_is_authentic() -> None:
    assert authentic()


def test_one_signature_of_several_is_enough_while_a_secret_is_rotated() -> None:
    assert authentic(signatures=f"v1,b2xk v1a,other {SIGNATURE}")


@pytest.mark.parametrize(
    "changes",
    [
        {"body": BODY + b" "},
        {"message_id": "msg_other"},
        {"timestamp": str(TIMESTAMP + 1)},
        {"signatures": ""},
        {"signatures": "v1,"},
        {"timestamp": ""},
        {"timestamp": "-5"},
        {"timestamp": "١٢٣"},
        {"timestamp": "9" * 400},
        {"now": SENT + timedelta(minutes=6)},
        {"now": SENT - timedelta(minutes=6)},
    ],
)
def test_what_was_changed_or_replayed_is_not(changes: dict[str, object]) -> None:
    assert not authentic(**changes)


@given(st.binary(max_size=200))
def test_a_new_secret_signs_what_it_verifies(body: bytes) -> None:
    secret = new_secret()
    signature = sign(secret, "id", TIMESTAMP, body)
    assert is_authentic(secret, message_id="id", timestamp=str(TIMESTAMP), signatures=signature, body=body, now=SENT)


def test_a_secret_without_the_prefix_is_taken_as_it_is() -> None:
    assert sign("sixteen characters", "id", 1, b"") != sign("sixteen character", "id", 1, b"")


def test_a_secret_that_is_not_base64_is_named() -> None:
    with pytest.raises(ConfigurationInvalid, match="not base64"):
        sign("whsec_*", "id", 1, b"")
