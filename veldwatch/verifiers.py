"""Verifiers of the secrets that devices are given: what brokers compare with, and from which no secret can be found.

A secret has 256 random bits, so it cannot be guessed, and the slowness that protects a word that a person chose would
only cost: a broker compares at each connection, and NATS again for each connected client at each reload.
"""

import base64
import hashlib
import hmac
import secrets

import bcrypt

PREFIX = "vd_"
# The least that bcrypt has, 1 ms. Source: package bcrypt, gensalt.
_BCRYPT_ROUNDS = 4
# As mosquitto_passwd. Source: mosquitto 2.0, src/password_mosq.c (PW_DEFAULT_ITERATIONS).
_PBKDF2_ROUNDS = 101


def new_secret() -> str:
    """Make a secret of 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def bcrypt_verifier(secret: str) -> str:
    """Hash for NATS, which takes the prefix `$2a$`."""
    return bcrypt.hashpw(secret.encode(), bcrypt.gensalt(_BCRYPT_ROUNDS, prefix=b"2a")).decode()


def pbkdf2_verifier(secret: str) -> str:
    """Hash as mosquitto_passwd does: `$7$rounds$salt$PBKDF2-HMAC-SHA512`.

    Source: mosquitto 2.0, src/password_mosq.c.
    """
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, _PBKDF2_ROUNDS)
    return f"$7${_PBKDF2_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def is_secret_of(pbkdf2: str, secret: str) -> bool:
    """Tell whether a secret is the one that a PBKDF2 verifier was made of, in a time that does not say how near."""
    _, _, rounds, salt, digest = pbkdf2.split("$")
    found = hashlib.pbkdf2_hmac("sha512", secret.encode("utf-8", "surrogatepass"), base64.b64decode(salt), int(rounds))
    return hmac.compare_digest(found, base64.b64decode(digest))
