"""Decoders with a fast way for the usual message: values of a device at one moment, or at several, as scans.

Intake moves a scan without an object for each value. Called as a plain decoder, it gives the same in the general form.
"""

from abc import ABC, abstractmethod
from datetime import datetime

from veldwatch.model.telemetry import Decoded, Scan


class ScanningDecoder(ABC):
    """Tries the fast way first."""

    @abstractmethod
    def scans(self, topic: str, payload: bytes, received_at: datetime) -> tuple[Scan, ...]:
        """Read a usual message, all scans of one organisation; none: anything else, also what is wrong in any way.

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
        scans = self.scans(topic, payload, received_at)
        if not scans:
            return self.read(topic, payload, received_at)
        return Decoded(scans[0].organisation, readings=tuple(row for scan in scans for row in scan.readings()))
