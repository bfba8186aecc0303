"""What lets a device or a gateway in: an account with verifiers of its secret, and what it may publish and hear."""

from dataclasses import dataclass
from enum import StrEnum


class CredentialKind(StrEnum):
    """How a device shows who it is."""

    PASSWORD = "password"  # noqa: S105  # the name of a kind
    """A name, and a secret that was made for it."""

    CERTIFICATE = "certificate"
    """An X.509 certificate, known by its subject; at the broker only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A credential that is in force.

    Attributes:
        username: of a certificate: its subject, as RFC 2253 writes it.
        bcrypt: verifier of the secret as NATS reads it; empty for a certificate.
        pbkdf2: the same as Mosquitto reads it.
        publish: topic filters that it may publish to.
        subscribe: topic filters that it may hear.
        device: external id of the one device that it speaks for; None: a gateway.
    """

    username: str
    kind: CredentialKind
    organisation: str
    bcrypt: str
    pbkdf2: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    device: str | None = None
