"""Who sends: an operator's bearer token, or a device's own credential (HTTP Basic).

What may be sent is decided by the topic that it would be published on: a device by the filters that the broker has for
it too, an operator of one organisation by that organisation. Answers of the database are kept for a moment, and who
asks while one is under way waits for it, so that many small requests cost one look-up; what is revoked is refused
within that moment.
"""

import asyncio
import base64
import binascii
import hashlib
import time
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from veldwatch.errors import NotAuthenticated, NotPermitted
from veldwatch.model.credential import Account, CredentialKind
from veldwatch.storage.credentials import find_account
from veldwatch.storage.pool import Pool
from veldwatch.storage.tokens import Bearer, Role, find_bearer
from veldwatch.verifiers import is_secret_of
from veldwatch.wire.grants import allows
from veldwatch.wire.topics import ROOT

_KEPT_SECONDS = 2.0
_KEPT_AT_MOST = 10_000
_HOW = "expected `Authorization: Bearer vw_...` of an operator, or a device's credential as HTTP Basic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends.

    Attributes:
        organisation: slug of the one that it belongs to; None: an operator of all.
        device: external id of the one device that it is; None: an operator or a gateway.
        account: a device's or gateway's; None: an operator.
    """

    name: str
    organisation: str | None
    device: str | None = None
    account: Account | None = None

    @property
    def writes_for(self) -> str | None:
        """Slug of the one organisation that the sender may write for, whatever a message says.

        None: any. Whose the topics of a credential are was said when it was made, as it is for the broker.
        """
        return self.organisation if self.account is None else None

    def check(self, topic: str, source_organisation: str | None) -> None:
        """Refuse what the sender may not publish.

        Args:
            source_organisation: slug that the topic's source gives its devices to; None: the topic names it.

        Raises:
            NotPermitted: it is another's.
        """
        if self.account is not None:
            if not allows(self.account.publish, topic):
                raise NotPermitted(f"credential {self.name!r} may not send for {topic[:200]!r} (it is another's)")
        elif self.organisation is not None and not self._is_ours(topic, source_organisation):
            raise NotPermitted(f"token {self.name!r} is for organisation {self.organisation!r} alone")

    def _is_ours(self, topic: str, source_organisation: str | None) -> bool:
        if topic.startswith(f"{ROOT}/"):
            return topic.startswith(f"{ROOT}/{self.organisation}/")
        return source_organisation == self.organisation


class Gate:
    """Looks senders up."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._kept: dict[bytes, tuple[float, Sender]] = {}
        self._asked: dict[bytes, asyncio.Task[Sender]] = {}

    async def sender(self, authorization: str | None) -> Sender:
        """Say who sends.

        Raises:
            NotAuthenticated: nobody that we know, or not with this secret.
            NotPermitted: a viewer.
            StorageUnavailable: the database is away.
        """
        if not authorization:
            raise NotAuthenticated(f"no credentials ({_HOW})")
        key = hashlib.sha256(authorization.encode("utf-8", "surrogatepass")).digest()
        kept = self._kept.get(key)
        if kept is not None and time.monotonic() < kept[0]:
            return kept[1]
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = asyncio.create_task(self._ask(key, authorization))
        # A sender that goes away ends the look-up for none of the others.
        return await asyncio.shield(asked)

    async def _ask(self, key: bytes, authorization: str) -> Sender:
        try:
            sender = await run_in_threadpool(self._look_up, authorization)
        finally:
            del self._asked[key]
        if len(self._kept) >= _KEPT_AT_MOST:
            self._kept.clear()
        self._kept[key] = (time.monotonic() + _KEPT_SECONDS, sender)
        return sender

    def _look_up(self, authorization: str) -> Sender:
        scheme, _, given = authorization.partition(" ")
        match scheme.lower():
            case "bearer":
                return self._operator(given.strip())
            case "basic":
                return self._device(*_name_and_secret(given.strip()))
            case _:
                raise NotAuthenticated(f"unknown scheme of authorization ({_HOW})")

    def _operator(self, token: str) -> Sender:
        with self._pool.lend() as connection:
            bearer: Bearer | None = find_bearer(connection, token)
        if bearer is None:
            raise NotAuthenticated(f"the token is unknown, revoked or over ({_HOW})")
        if bearer.role is not Role.OPERATOR:
            raise NotPermitted(f"token {bearer.name!r} is a {bearer.role.value}'s (expected an operator's)")
        return Sender(name=bearer.name, organisation=bearer.organisation)

    def _device(self, username: str, secret: str) -> Sender:
        with self._pool.lend() as connection:
            account = find_account(connection, username.replace("\0", " "))
        if account is None or account.kind is not CredentialKind.PASSWORD or not is_secret_of(account.pbkdf2, secret):
            raise NotAuthenticated(f"the credential is unknown, revoked or over, or the secret is another's ({_HOW})")
        return Sender(name=account.username, organisation=account.organisation, device=account.device, account=account)


def _name_and_secret(given: str) -> tuple[str, str]:
    try:
        name, colon, secret = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeError) as error:
        raise NotAuthenticated(f"the credentials cannot be read ({_HOW})") from error
    if not colon:
        raise NotAuthenticated(f"the credentials cannot be read ({_HOW})")
    return name, secret
