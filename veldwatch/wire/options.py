"""What a source may tell its decoder: options, read into a struct of the decoder's own before anything is decoded."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

import msgspec

from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.telemetry import Decoded

Decoder = Callable[[str, bytes, datetime], Decoded]
"""(topic, payload, received_at) -> what the message says; raises MessageRejected, and nothing else on purpose."""

DecoderFactory = Callable[[Mapping[str, object]], Decoder]
"""Options of a source -> its decoder; raises ConfigurationInvalid. What an entry point names."""

Options = TypeVar("Options", bound=msgspec.Struct)


def read_options(kind: type[Options], given: Mapping[str, object]) -> Options:
    """Read a source's options.

    Args:
        kind: a struct declared with `forbid_unknown_fields`, so that a misspelt option is refused.

    Raises:
        ConfigurationInvalid: an option is unknown, missing, or of another type.
    """
    try:
        return msgspec.convert(dict(given), kind)
    except msgspec.ValidationError as error:
        known = ", ".join(kind.__struct_fields__)
        raise ConfigurationInvalid(f"bad options: {error} (known are {known})") from error


def without_options(decode: Decoder) -> DecoderFactory:
    """Make the factory of a decoder that can be told nothing."""

    def configure(given: Mapping[str, object]) -> Decoder:
        if given:
            raise ConfigurationInvalid(f"bad options: {', '.join(map(repr, given))} (this decoder has none)")
        return decode

    return configure
