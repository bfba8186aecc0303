"""DSMR P1: the checksum; what a telegram says is in the golden cases."""

from datetime import UTC, datetime

import pytest

from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.wire.dsmr import checksum, configure

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
TELEGRAM = b"/X\r\n\r\n0-0:96.1.1(45)\r\n1-0:1.8.1(1.5*kWh)\r\n!"


def test_the_checksum_is_crc16_arc() -> None:
    """The check value of the catalogue of CRC algorithms: CRC-16/ARC over the nine digits."""
    assert checksum(b"123456789") == 0xBB3D


def test_any_changed_byte_is_noticed() -> None:
    said = b"%04X\r\n" % checksum(TELEGRAM)
    decode = configure({})
    assert [r.value for r in decode("dsmr/raw", TELEGRAM + said, NOW).readings] == [1.5]
    for place in range(1, len(TELEGRAM) - 1):
        if TELEGRAM[place] in b"\r\n":
            continue  # a reader may change the ends of lines
        with pytest.raises(MessageRejected):
            decode("dsmr/raw", TELEGRAM[:place] + b"#" + TELEGRAM[place + 1 :] + said, NOW)


def test_noise_before_a_telegram_is_left() -> None:
    telegram = b"8.1(00)\r\n!1234\r\n" + TELEGRAM + b"%04X" % checksum(TELEGRAM)
    assert len(configure({})("dsmr/raw", telegram, NOW).readings) == 1


def test_a_zone_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationInvalid):
        configure({"time_zone": "Mars/Olympus"})
