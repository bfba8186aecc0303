"""A real SMTP server that answers as a test tells it to, and keeps what it accepted."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from launch.ports import choose_port


# Without slots: aiosmtpd looks at every attribute, which fails on those of a slotted dataclass up to Python 3.11.2
# (https://github.com/python/cpython/issues/102069).
@dataclass(kw_only=True)
class SmtpReceiver:
    """What a test sees of the server.

    Attributes:
        to_recipient: replies to RCPT TO, one per mail, then 250.
        to_content: replies after the content, one per mail, then 250.
    """

    port: int = 0
    to_recipient: list[str] = field(default_factory=list[str])
    to_content: list[str] = field(default_factory=list[str])
    mails: list[Message] = field(default_factory=list[Message])

    async def handle_RCPT(  # noqa: N802  # the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = self.to_recipient.pop(0) if self.to_recipient else "250 OK"
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        reply = self.to_content.pop(0) if self.to_content else "250 OK"
        if reply.startswith("250"):
            content = envelope.original_content or b""
            self.mails.append(message_from_bytes(content, policy=default))
        return reply


@contextmanager
def smtp_receiver(port: int = 0) -> Generator[SmtpReceiver]:
    """Serve on loopback until the end of the block."""
    receiver = SmtpReceiver(port=port or choose_port(0))
    controller = Controller(receiver, hostname="127.0.0.1", port=receiver.port)
    controller.start()
    try:
        yield receiver
    finally:
        controller.stop()
