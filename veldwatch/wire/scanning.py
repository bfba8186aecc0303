"""Decoders with a fast way for the usual message: values of one device at one moment, as a scan.

Intake moves a scan without an object for each value. Called as a plain decoder, it gives the same in the general form.
"""

from abc import ABC, abstractmethod
from datetime import datetime

from veldwatch.model.telemetry import Decoded, Scan


class ScanningDecoder(ABC):
    """Tries the fast way first."""

    @abstractmethod
    def scan(self, topic: str, payload: bytes, received_at: datetime) -> Scan | None:
        """Read a usual message; None: anything else, also what is wrong in whatever way.

        Raises:
            MessageRejected: not a topic of this format.
        """

    @abstractmethod
    def read(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        """Read any message.

        Raises:
            MessageRejected: it cannot be stored.
        """

    def __call__(self, topic: str, payload: bytes, received_at: datetime) -> Decoded:
        """Read one message."""
        scan = self.scan(topic, payload, received_at)
        if scan is None:
            return self.read(topic, payload, received_at)
        return Decoded(scan.organisation, readings=scan.readings())
