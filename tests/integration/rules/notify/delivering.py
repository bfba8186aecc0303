"""A deliverer over real channels, and a time that tests move."""

import threading
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from rules.notify.delivery import Deliverer
from rules.notify.email import EmailChannel
from rules.notify.webhook import WebhookChannel
from tests.integration.rules.notify.alerts import NOW
from veldwatch.config import Settings
from veldwatch.model.notifications import Channel
from veldwatch.storage.connection import Connection


@dataclass(slots=True)
class Clock:
    """Time that moves when a test says so."""

    now: datetime = field(default=NOW)

    def __call__(self) -> datetime:
        return self.now


def deliverer(clock: Clock, client: httpx.Client, smtp_port: int = 1, maximum_attempts: int = 3) -> Deliverer:
    settings = Settings(smtp_host="127.0.0.1", smtp_port=smtp_port)
    return Deliverer(
        senders={
            Channel.EMAIL: EmailChannel(settings=settings),
            Channel.WEBHOOK: WebhookChannel(client=client, clock=clock),
        },
        clock=clock,
        maximum_attempts=maximum_attempts,
    )


def serve(connection: Connection, receiver_id: int, deliver: Deliverer) -> int:
    return deliver.serve(connection, receiver_id, threading.Event()).attempted
