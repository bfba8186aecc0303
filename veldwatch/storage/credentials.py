"""Credentials: made, rotated, revoked and listed; and the accounts that are in force.

A secret is given once, when it is made; what is kept are verifiers. A rotated credential has another name than the one
that it follows, so that both let in until the old one ends. A retired device has no account. Writing calls take part in
the caller's transaction; `scope` is the id of the one organisation that the asker may see (None: all).
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from veldwatch import verifiers
from veldwatch.errors import Conflict, NotFound, NotPermitted, RequestInvalid
from veldwatch.model.credential import Account, CredentialKind
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.pool import Row, fetch_row, fetch_rows
from veldwatch.storage.queries import load_queries
from veldwatch.wire.grants import check_grant, device_grants, is_foreign

CHANNEL = "credential"
"""Told when an account may have changed."""

_QUERIES = load_queries("credentials")
# What openssl and Go both write in the same way. Source: RFC 2253, sections 2.3 and 2.4; Go, crypto/x509/pkix.
_SUBJECT = re.compile(r"(?:CN|O|OU|C|L|ST|DC)=[^,+\"\\<>;=#\x00-\x1f\x7f]+")
_LONGEST_SUBJECT = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCredential:
    """A credential to be made.

    Attributes:
        organisation: slug.
        devices: external ids of the devices that it speaks for, on our own topics; none: a gateway.
        subject: of a certificate; None: a name and a secret are made.
        publish: topic filters beside those of its devices.
        subscribe: as publish, of what it may hear.
        valid_until: None: until it is revoked.
    """

    organisation: str
    devices: tuple[str, ...] = ()
    subject: str | None = None
    note: str = ""
    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A credential that was made; `secret` is None for a certificate and can never be read again."""

    id: int
    username: str
    secret: str | None


def create_credential(connection: Connection, scope: int | None, new: NewCredential, *, by: str) -> Issued:
    """Make a credential.

    Raises:
        NotFound: no such organisation or device, or it may not be seen.
        NotPermitted: topics of other roots than our own are for those who see every organisation.
        RequestInvalid: it could do nothing, or a filter, the subject or the end makes no sense.
        Conflict: the subject has a credential already.
    """
    organisation = fetch_row(connection, _QUERIES["organisation"], {"slug": new.organisation, "scope": scope})
    if organisation is None:
        raise NotFound(f"no organisation {new.organisation!r} (expected the slug of a registered one)")
    _check_grants(new, scope)
    devices = _device_ids(connection, int(organisation["id"]), new)
    subject = None if new.subject is None else normal_subject(new.subject)
    secret = None if subject is not None else verifiers.new_secret()
    values = {
        "organisation_id": organisation["id"],
        "kind": (CredentialKind.CERTIFICATE if secret is None else CredentialKind.PASSWORD).value,
        "username": subject or _new_username(new.devices[0] if new.devices else new.note or "gateway"),
        "note": new.note.strip(),
        "publish": list(new.publish),
        "subscribe": list(new.subscribe),
        "created_by": by,
        "valid_until": new.valid_until,
        **_verifiers(secret),
    }
    row = fetch_row(connection, _QUERIES["add"], values)
    if row is None:
        raise Conflict(f"{values['username']!r} has a credential already (revoke that one first)")
    with translated_errors():
        connection.execute(_QUERIES["speak_for"], {"id": row["id"], "device_ids": devices})
    return Issued(id=int(row["id"]), username=str(values["username"]), secret=secret)


def rotate_credential(
    connection: Connection, scope: int | None, credential_id: int, *, old_valid_until: datetime, by: str
) -> Issued:
    """Make a credential that may do the same, under another name; the old one lets in until a time.

    Raises:
        NotFound: there is none of this id, or it may not be seen.
        Conflict: it is revoked, over, or was rotated before.
        RequestInvalid: it is a certificate's: a renewed one of the same subject is let in as it is.
    """
    old = _locked(connection, scope, credential_id)
    if old["revoked_at"] is not None or old["over"]:
        raise Conflict(f"credential {credential_id} is revoked or over (create another)")
    if old["successor_id"] is not None:
        raise Conflict(f"credential {credential_id} was rotated (rotate {old['successor_id']}, which took its place)")
    if old["kind"] == CredentialKind.CERTIFICATE.value:
        raise RequestInvalid(
            "a certificate is renewed by who signs it (one of the same subject is let in as it is; nothing to rotate)"
        )
    secret = verifiers.new_secret()
    stem = str(old["username"]).rpartition("-")[0] or "gateway"
    values = {
        **{name: old[name] for name in ("organisation_id", "kind", "note", "publish", "subscribe", "valid_until")},
        "username": _new_username(stem),
        "created_by": by,
        **_verifiers(secret),
    }
    row = fetch_row(connection, _QUERIES["add"], values)
    assert row is not None  # noqa: S101  # 40 random bits at its end: the name is new
    with translated_errors():
        connection.execute(_QUERIES["inherit"], {"id": row["id"], "predecessor": credential_id})
        ending = {"id": credential_id, "valid_until": old_valid_until, "successor": row["id"]}
        connection.execute(_QUERIES["succeed"], ending)
    return Issued(id=int(row["id"]), username=str(values["username"]), secret=secret)


def revoke_credential(connection: Connection, scope: int | None, credential_id: int, *, by: str) -> str:
    """End a credential and give its name; repeating changes nothing.

    Raises:
        NotFound: there is none of this id, or it may not be seen.
    """
    username = str(_locked(connection, scope, credential_id)["username"])
    with translated_errors():
        connection.execute(_QUERIES["revoke"], {"id": credential_id, "revoked_by": by})
    return username


def list_credentials(
    connection: Connection,
    scope: int | None,
    *,
    organisation: str | None = None,
    device_id: int | None = None,
    credential_id: int | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[Row]:
    """List credentials by id, those that ended too, without anything that would let one in."""
    values = {
        "scope": scope,
        "organisation": organisation,
        "device_id": device_id,
        "id": credential_id,
        "after": after,
        "limit": limit,
    }
    return fetch_rows(connection, _QUERIES["list"], values)


def accounts_in_force(connection: Connection) -> list[Account]:
    """List the accounts that let somebody in at this moment, in the order of their names' bytes."""
    return _accounts(connection, None)


def find_account(connection: Connection, username: str) -> Account | None:
    """Give the account of a name; None: there is none, or it is revoked, over, or all its devices are retired."""
    found = _accounts(connection, username)
    return found[0] if found else None


def seconds_to_next_end(connection: Connection) -> float | None:
    """Tell in how many seconds the next credential ends by itself; None: none does."""
    with translated_errors():
        row = connection.execute(_QUERIES["next_end"]).fetchone()
    return None if row is None else row[0]


def normal_subject(text: str) -> str:
    """Write a certificate's subject as brokers do: RFC 2253, without blanks around the commas.

    Raises:
        RequestInvalid: it is none, or has parts that brokers write in different ways.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(text) > _LONGEST_SUBJECT or not all(_SUBJECT.fullmatch(part) for part in parts):
        raise RequestInvalid(
            f"bad subject: {text[:80]!r} (expected RFC 2253 such as 'CN=meter-0017,O=kasama-water', as"
            " `openssl x509 -noout -subject -nameopt RFC2253` prints it; of CN, O, OU, C, L, ST, DC,"
            " without quoted characters)"
        )
    return ",".join(parts)


def _accounts(connection: Connection, username: str | None) -> list[Account]:
    with translated_errors():
        rows = connection.execute(_QUERIES["in_force"], {"username": username}).fetchall()
    return [account for row in rows if (account := _account(*row)) is not None]


def _account(  # noqa: PLR0913, PLR0917  # the columns of a row
    username: str,
    kind: str,
    organisation: str,
    bcrypt: str,
    pbkdf2: str,
    publish: list[str],
    subscribe: list[str],
    devices: list[str],
    registered: int,
) -> Account | None:
    if registered and not devices:
        return None
    granted = [device_grants(organisation, device) for device in devices]
    return Account(
        username=username,
        kind=CredentialKind(kind),
        organisation=organisation,
        bcrypt=bcrypt,
        pbkdf2=pbkdf2,
        publish=(*(each for grants in granted for each in grants.publish), *publish),
        subscribe=(*(each for grants in granted for each in grants.subscribe), *subscribe),
        device=devices[0] if registered == 1 else None,
    )


def _check_grants(new: NewCredential, scope: int | None) -> None:
    if not new.devices and not new.publish and not new.subscribe:
        raise RequestInvalid("a credential needs devices to speak for, or topic filters (it could do nothing)")
    if len(new.devices) + len(new.publish) + len(new.subscribe) > 1000:
        raise RequestInvalid("a credential has up to 1,000 devices and topic filters (give the gateway a topic prefix)")
    if len(new.note) > 256 or "\0" in new.note:
        raise RequestInvalid("bad note (expected up to 256 characters)")
    for topic_filter in (*new.publish, *new.subscribe):
        check_grant(topic_filter, new.organisation)
        if scope is not None and is_foreign(topic_filter):
            raise NotPermitted(
                f"topic filter {topic_filter!r} is not of our own topics: whose they are cannot be told from their"
                " names (expected an operator of all organisations)"
            )


def _device_ids(connection: Connection, organisation_id: int, new: NewCredential) -> list[int]:
    asked = {"organisation_id": organisation_id, "external_ids": list(new.devices)}
    found = {row["external_id"]: row["id"] for row in fetch_rows(connection, _QUERIES["devices"], asked)}
    for device in new.devices:
        if device not in found:
            raise NotFound(f"no device {device[:60]!r} of organisation {new.organisation!r} (register it first)")
    return list(found.values())


def _locked(connection: Connection, scope: int | None, credential_id: int) -> dict[str, Any]:
    row = fetch_row(connection, _QUERIES["get"], {"id": credential_id, "scope": scope})
    if row is None:
        raise NotFound(f"no credential {credential_id!r} (list them with GET /v1/credentials)")
    return row


def _verifiers(secret: str | None) -> dict[str, str | None]:
    if secret is None:
        return {"bcrypt": None, "pbkdf2": None}
    return {"bcrypt": verifiers.bcrypt_verifier(secret), "pbkdf2": verifiers.pbkdf2_verifier(secret)}


def _new_username(stem: str) -> str:
    """A name that every broker and HTTP take, with what it is for in front and 40 random bits behind."""
    plain = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:40].strip("-")
    return f"{plain or 'device'}-{secrets.token_hex(5)}"
