"""E-mail over SMTP: one message, one connection.

Contract: the Message-ID derives from the notification's id, so a repeat is the same message to every reader; later
messages of an alert answer the first (In-Reply-To, References). A 5xx reply to the recipient or to the content is
permanent. A 4xx reply, a lost connection and faults of set-up are temporary, as they are mended without the
notification: no server, one that greets with a refusal, wants TLS or a login, does not know the sender or does not
relay for us.
"""

import smtplib
import socket
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from uuid import UUID

from rules.notify.deadline import Deadline
from rules.notify.wording import hypertext, plain_text, subject
from veldwatch.config import Settings
from veldwatch.errors import ConfigurationInvalid, DeliveryFailed
from veldwatch.model.notifications import Channel, check_address
from veldwatch.storage.outbox import Notification

# The reply to DATA. Source: RFC 5321, section 4.2.3.
_START_MAIL_INPUT = 354
# The server wants a login, another one, or TLS (RFC 4954, section 6), or something else before (503).
_NOT_LET_IN = frozenset({503, 530, 534, 535, 538})
# Security or policy, to a recipient: "relay access denied". Source: RFC 3463, section 3.8.
_POLICY_STATUS = b"5.7."
# 7-bit transfer encodings pass every relay, also those without 8BITMIME.
_POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a server may take.

    Attributes:
        step_seconds: for each step up to the content; a relay that needs longer is overloaded, and the message waits in
            the outbox as well.
        dialogue_seconds: for all of these steps; a server that drips its replies keeps within the former for ever.
        judgement_seconds: for the content and the answer to it: a relay may scan it first, and whoever does not wait
            sends it again, while the relay delivers each copy. Source: RFC 5321, section 4.5.3.2.6.
    """

    step_seconds: float = 6.0
    dialogue_seconds: float = 30.0
    judgement_seconds: float = 600.0


PATIENCE = Patience()


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailChannel:
    """Sends notifications through the SMTP server of the settings."""

    settings: Settings
    patience: Patience = PATIENCE

    def send(self, notification: Notification) -> str:
        """Hand the message to the server; returns its reply.

        Raises:
            DeliveryFailed: with the server's own words.
        """
        if not self.settings.smtp_host:
            raise DeliveryFailed("no SMTP server is set (set VELDWATCH_SMTP_HOST)", permanent=False)
        try:
            check_address(Channel.EMAIL, notification.address)
        except ConfigurationInvalid as error:
            raise DeliveryFailed(str(error), permanent=True) from error
        message = compose(notification, self.settings)
        with Deadline(self.patience.dialogue_seconds) as deadline:
            try:
                server = self._connect(deadline)
                try:
                    server.send_message(message)
                finally:
                    # Not `with`: it sends QUIT, and an odd answer to that would make a failure of an accepted message.
                    server.close()
            except (smtplib.SMTPException, OSError) as error:
                raise _failure(error, too_slow=deadline.passed) from error
        return f"accepted by {self.settings.smtp_host}:{self.settings.smtp_port}"

    def _connect(self, deadline: Deadline) -> smtplib.SMTP:
        try:
            server = _Dialogue(self.settings, self.patience, deadline)
        except UnicodeError as error:
            host = self.settings.smtp_host
            raise DeliveryFailed(f"bad VELDWATCH_SMTP_HOST: {host!r} (expected a name)", permanent=False) from error
        try:
            if self.settings.smtp_starttls:
                server.starttls(context=ssl.create_default_context())
            if self.settings.smtp_username:
                server.login(self.settings.smtp_username, self.settings.smtp_password)
        except UnicodeError:
            server.close()
            # Not `from`: the error quotes the password.
            words = (
                "VELDWATCH_SMTP_USERNAME or VELDWATCH_SMTP_PASSWORD is not ASCII (expected what SMTP can log in with)"
            )
            raise DeliveryFailed(words, permanent=False) from None
        except (smtplib.SMTPException, OSError):
            server.close()
            raise
        return server


class _Dialogue(smtplib.SMTP):
    """A connection whose server may take its time over a message, and over nothing else."""

    def __init__(self, settings: Settings, patience: Patience, deadline: Deadline) -> None:
        self._deadline, self._patience = deadline, patience
        self._is_watched = self._has_content = False
        # Without a name smtplib asks the resolver for one, which takes many seconds where there is none.
        super().__init__(
            settings.smtp_host,
            settings.smtp_port,
            local_hostname=socket.gethostname(),
            timeout=patience.step_seconds,
        )

    def getreply(self) -> tuple[int, bytes]:
        """Read a reply; after "start mail input" the content follows, and the server's judgement of it."""
        if not self._is_watched and self.sock is not None:
            self._is_watched = True
            self._deadline.watch(self.sock)
        code, words = super().getreply()
        if code == _START_MAIL_INPUT or self._has_content:
            self._has_content = code == _START_MAIL_INPUT
            self._allow(self._patience.judgement_seconds if self._has_content else self._patience.step_seconds)
        return code, words

    def _allow(self, seconds: float) -> None:
        if self.sock is not None:
            self.sock.settimeout(seconds)
        self._deadline.put_off(seconds)


def compose(notification: Notification, settings: Settings) -> EmailMessage:
    """Write the whole message; the same notification gives the same headers at every attempt."""
    domain = parseaddr(settings.mail_from)[1].rpartition("@")[2] or "localhost"
    message = EmailMessage(policy=_POLICY)
    message["From"] = settings.mail_from
    message["To"] = notification.address
    message["Subject"] = subject(notification)
    message["Date"] = format_datetime(notification.created_at)
    message["Message-ID"] = _message_id(notification.id, domain)
    if notification.thread:
        message["In-Reply-To"] = _message_id(notification.thread[0], domain)
        message["References"] = " ".join(_message_id(outbox_id, domain) for outbox_id in notification.thread[:20])
    # Keeps holiday answers away. Source: RFC 3834, section 5.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Veldwatch-Alert"] = str(notification.alert_id)
    message.set_content(plain_text(notification, settings.console_url))
    message.add_alternative(hypertext(notification, settings.console_url), subtype="html")
    # The boundary would be random otherwise, and a repeat not the same bytes.
    message.set_boundary(f"=_{notification.id.hex}")
    return message


def _message_id(outbox_id: UUID, domain: str) -> str:
    return f"<{outbox_id}@{domain}>"


def _failure(error: smtplib.SMTPException | OSError, *, too_slow: bool) -> DeliveryFailed:
    """Tell a refusal of this message or its recipient from a fault of set-up, which is mended without either."""
    match error:
        case _ if too_slow:
            return DeliveryFailed("the SMTP server took too long in all", permanent=False)
        case smtplib.SMTPAuthenticationError():
            return DeliveryFailed(f"the SMTP server refused our login: {_reply(error)}", permanent=False)
        case smtplib.SMTPRecipientsRefused():
            code, reply = next(iter(error.recipients.values()))
            permanent = code >= 500 and code not in _NOT_LET_IN and not reply.startswith(_POLICY_STATUS)
            return DeliveryFailed(f"{code} {_words(reply)}", permanent=permanent)
        case smtplib.SMTPDataError():
            return DeliveryFailed(
                _reply(error), permanent=error.smtp_code >= 500 and error.smtp_code not in _NOT_LET_IN
            )
        case smtplib.SMTPResponseException():
            return DeliveryFailed(_reply(error), permanent=False)
        case _:
            return DeliveryFailed(f"{type(error).__name__}: {error}", permanent=False)


def _reply(error: smtplib.SMTPResponseException) -> str:
    return f"{error.smtp_code} {_words(error.smtp_error)}"


def _words(reply: bytes | str) -> str:
    return (reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply)[:500]
