"""What the routes share while the program runs: settings, connections and the live stream."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from api.stream.hub import Hub
from veldwatch.config import Settings
from veldwatch.storage.pool import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The long-lived parts of the API program."""

    settings: Settings
    pool: Pool
    hub: Hub


def get_parts(request: Request) -> Parts:
    """Give the parts of the application that answers this request."""
    return cast(Parts, request.app.state.parts)


Shared = Annotated[Parts, Depends(get_parts)]
