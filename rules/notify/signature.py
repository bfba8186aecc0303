"""Signatures of webhooks, as both sides compute them.

Source: Standard Webhooks specification, https://www.standardwebhooks.com (signed content `id.timestamp.body`, symmetric
scheme `v1`, secrets `whsec_` and base64, a list of signatures so that a secret can be rotated).
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from veldwatch.errors import ConfigurationInvalid

_PREFIX = "whsec_"
TOLERANCE = timedelta(minutes=5)
"""The age beyond which a message counts as replayed.

Source: the reference implementations' tolerance.
"""


def new_secret() -> str:
    """Make a secret of 256 random bits."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of the header `webhook-signature`.

    Args:
        secret: `whsec_` and base64 of the key; without the prefix its UTF-8 bytes are the key.
        timestamp: seconds since 1970, of this attempt.
    """
    content = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), content, hashlib.sha256)).decode()


def is_authentic(secret: str, *, message_id: str, timestamp: str, signatures: str, body: bytes, now: datetime) -> bool:
    """Tell whether a message is ours and fresh, in constant time for each signature.

    Args:
        timestamp: the header `webhook-timestamp`.
        signatures: the header `webhook-signature`: one or more, separated by spaces.
    """
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        return False
    expected = sign(secret, message_id, int(timestamp), body).encode()
    return any(hmac.compare_digest(expected, candidate.encode()) for candidate in signatures.split(" "))


def _key(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ConfigurationInvalid(f"bad webhook secret: not base64 after {_PREFIX!r} ({error})") from error
