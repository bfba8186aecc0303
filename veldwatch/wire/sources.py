"""Sources: which decoder reads the messages of which topics; the first match wins.

Decoders are found by name among our own and in the entry points of the group `veldwatch.decoders`, so that a package
beside this one can bring another format.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points

from veldwatch.config import Source
from veldwatch.errors import ConfigurationInvalid
from veldwatch.wire import chirpstack, owntracks, topics, veldwatch_json, wmbusmeters
from veldwatch.wire.options import Decoder, DecoderFactory, without_options

_GROUP = "veldwatch.decoders"
_OWN: dict[str, DecoderFactory] = {
    "veldwatch": without_options(veldwatch_json.decode),
    "wmbusmeters": without_options(wmbusmeters.decode),
    "chirpstack": without_options(chirpstack.decode),
    "owntracks": without_options(owntracks.decode),
}
_REMEMBERED_TOPICS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A source with its decoder at hand."""

    source: Source
    decode: Decoder


class Sources:
    """The configured sources, in order, with every decoder found."""

    def __init__(self, sources: Sequence[Source]) -> None:
        for source in sources:
            topics.check_filter(source.topic_filter)
        self._routes = [Route(source=source, decode=find_decoder(source.decoder, source.options)) for source in sources]
        self._known: dict[str, Route | None] = {}

    def route(self, topic: str) -> Route | None:
        """Give the first source whose filter takes the topic."""
        try:
            return self._known[topic]
        except KeyError:
            found = next((r for r in self._routes if topics.matches(r.source.topic_filter, topic)), None)
            if len(self._known) >= _REMEMBERED_TOPICS:
                self._known.clear()
            self._known[topic] = found
            return found


def find_decoder(name: str, options: Mapping[str, object]) -> Decoder:
    """Find a decoder by name, and give it its options.

    Raises:
        ConfigurationInvalid: there is none of that name, or it refuses an option.
    """
    try:
        return _factory(name)(options)
    except ConfigurationInvalid as error:
        raise ConfigurationInvalid(f"decoder {name!r}: {error}") from error


def decoder_names() -> list[str]:
    """List every decoder that a source can name."""
    return sorted({*_OWN, *(point.name for point in entry_points(group=_GROUP))})


def _factory(name: str) -> DecoderFactory:
    if name in _OWN:
        return _OWN[name]
    for point in entry_points(group=_GROUP):
        if point.name == name:
            return point.load()
    raise ConfigurationInvalid(f"unknown (expected one of {', '.join(decoder_names())})")
