"""Packets of MQTT as they lie in a buffer, one after the other."""


def bounds(content: bytes, place: int) -> tuple[int, int] | None:
    """Find where the content of the packet at a place begins and ends; None: it has not come whole.

    Source: MQTT 5.0, section 1.5.5, as in 3.1.1, section 2.2.3: the length follows the first byte, seven bits a byte.
    """
    length, shift, at = 0, 0, place + 1
    while at < len(content):
        byte = content[at]
        at += 1
        length |= (byte & 127) << shift
        if byte < 128:
            return (at, at + length) if at + length <= len(content) else None
        shift += 7
    return None
