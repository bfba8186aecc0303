"""Python's collector of cyclic garbage, kept from going through a million objects that live as long as the engine."""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def collector_at_rest() -> Generator[None]:
    """Make many objects without their being gone through again and again; none of them is looked at afterwards.

    What is made within must hold no cycles: it is freed when nothing refers to it any more, and not otherwise.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()
