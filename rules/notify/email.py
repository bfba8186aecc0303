"""E-mail over SMTP: one message, one connection.

Contract: the Message-ID derives from the notification's id, so a repeat is the same message to every reader; later
messages of an alert answer the first (In-Reply-To, References). A 4xx reply, a lost connection and our own faults of
set-up (no server, wrong password, no STARTTLS) are temporary: they are mended without the notification. A 5xx reply to
the message is permanent.
"""

import smtplib
import socket
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from uuid import UUID

from rules.notify.wording import hypertext, plain_text, subject
from veldwatch.config import Settings
from veldwatch.errors import ConfigurationInvalid, DeliveryFailed
from veldwatch.model.notifications import Channel, check_address
from veldwatch.storage.outbox import Notification

# Per step of the dialogue; a relay that needs longer is overloaded, and the message waits in the outbox as well.
_TIMEOUT_SECONDS = 6.0
# 7-bit transfer encodings pass every relay, also those without 8BITMIME.
_POLICY = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailChannel:
    """Sends notifications through the SMTP server of the settings."""

    settings: Settings

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
        try:
            server = self._connect()
            try:
                server.send_message(message)
            finally:
                # Not `with`: it sends QUIT, and an odd answer to that would make a failure of an accepted message.
                server.close()
        except (smtplib.SMTPException, OSError) as error:
            raise _failure(error) from error
        return f"accepted by {self.settings.smtp_host}:{self.settings.smtp_port}"

    def _connect(self) -> smtplib.SMTP:
        # Without a name smtplib asks the resolver for one, which takes many seconds where there is none.
        server = smtplib.SMTP(
            self.settings.smtp_host,
            self.settings.smtp_port,
            local_hostname=socket.gethostname(),
            timeout=_TIMEOUT_SECONDS,
        )
        try:
            if self.settings.smtp_starttls:
                server.starttls(context=ssl.create_default_context())
            if self.settings.smtp_username:
                server.login(self.settings.smtp_username, self.settings.smtp_password)
        except (smtplib.SMTPException, OSError):
            server.close()
            raise
        return server


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


def _failure(error: smtplib.SMTPException | OSError) -> DeliveryFailed:
    match error:
        case smtplib.SMTPAuthenticationError():
            return DeliveryFailed(f"the SMTP server refused our login: {_reply(error)}", permanent=False)
        case smtplib.SMTPRecipientsRefused():
            code, reply = next(iter(error.recipients.values()))
            return DeliveryFailed(f"{code} {_words(reply)}", permanent=code >= 500)
        case smtplib.SMTPResponseException():
            return DeliveryFailed(_reply(error), permanent=error.smtp_code >= 500)
        case _:
            return DeliveryFailed(f"{type(error).__name__}: {error}", permanent=False)


def _reply(error: smtplib.SMTPResponseException) -> str:
    return f"{error.smtp_code} {_words(error.smtp_error)}"


def _words(reply: bytes | str) -> str:
    return (reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply)[:500]
