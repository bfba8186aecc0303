"""The application: a visible list of routers, each closed unless it stands in the short list of open ones.

Nothing here waits for the database: it is looked for when the first request needs it, and again after every outage.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute

from api.access import authenticate
from api.edge import BODY_LIMIT_BYTES, Edge, LongBodies
from api.parts import Parts
from api.problems import EXCEPTION_HANDLERS, RESPONSES
from api.routes import (
    alerts,
    backtests,
    calendars,
    consumption,
    corrections,
    credentials,
    deployments,
    device_changes,
    devices,
    events,
    health,
    impact_settings,
    incidents,
    interruptions,
    mailbox,
    me,
    organisations,
    positions,
    profiles,
    quarantine,
    readings,
    receivers,
    replays,
    retention,
    rule_documents,
    rule_statistics,
    rules,
    series,
    silences,
    simulator,
    sites,
    sources,
    storage,
    stream,
    subjects,
    windows,
)
from api.static_files import ConsoleFiles
from api.stream.hub import Hub
from veldwatch import __version__
from veldwatch.config import Settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.storage.names import Names
from veldwatch.storage.pool import Pool

POOL_SIZE = 8
QUERY_LIMIT = timedelta(seconds=15)
OPEN_PATHS = ("/healthz", "/readyz", "/v1/openapi.json")
"""What is answered without a token, besides the console's own files at `/`."""

ROUTERS = (
    organisations.router,
    sites.router,
    devices.router,
    device_changes.router,
    deployments.router,
    subjects.router,
    profiles.router,
    profiles.species_router,
    credentials.router,
    series.router,
    readings.router,
    windows.router,
    consumption.router,
    corrections.router,
    positions.router,
    events.router,
    alerts.router,
    silences.router,
    interruptions.router,
    calendars.router,
    incidents.router,
    impact_settings.router,
    rules.router,
    rule_statistics.router,
    rule_documents.router,
    backtests.router,
    receivers.router,
    replays.router,
    quarantine.router,
    sources.router,
    mailbox.router,
    simulator.router,
    stream.router,
    me.router,
    storage.router,
    retention.router,
    health.router,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """Routes of another program that answer at the same address; it sees to who may call them.

    Attributes:
        running: entered when the application starts, left when it stops.
        body_limit_bytes: of its routes.
    """

    router: APIRouter
    running: Callable[[], AbstractAsyncContextManager[None]]
    body_limit_bytes: int


def create_app(settings: Settings, extensions: Sequence[Extension] = ()) -> FastAPI:
    """Build the application; its connections open when it starts and close when it stops.

    Args:
        extensions: given by whoever knows other programs; the API knows none.

    Raises:
        ConfigurationInvalid: no database is named.
    """
    if not settings.dsn:
        raise ConfigurationInvalid("bad VELDWATCH_DSN: '' (expected a PostgreSQL address; `veldwatch up` starts one)")
    pool = Pool(settings.dsn, size=POOL_SIZE, query_limit=QUERY_LIMIT, application="veldwatch-api")
    parts = Parts(settings=settings, pool=pool, hub=Hub(settings.dsn, Names()))
    app = FastAPI(
        title="Veldwatch",
        version=__version__,
        description="Meters, sensors and wildlife trackers: readings, positions and alerts.",
        openapi_url="/v1/openapi.json",
        docs_url=None,  # its page loads from a CDN, and Veldwatch works without the internet
        redoc_url=None,
        lifespan=_lifespan,
        middleware=[
            Middleware(Edge, longer=_long_bodies(extensions)),
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    app.state.parts = parts
    app.state.extensions = tuple(extensions)
    # First, so that a small message of a device is not compared with every route of the API.
    for extension in extensions:
        app.include_router(extension.router, responses=RESPONSES, max_body_size=extension.body_limit_bytes)
    app.router.routes.extend(_closed_routes())
    app.include_router(health.open_router)
    app.mount("/", ConsoleFiles(), name="console")
    return app


@cache
def _closed_routes() -> tuple[BaseRoute, ...]:
    """Give what needs a token, once for all applications of a process.

    What a route's requests are checked by is worked out at the first request, for all routes: 0.3 s. None of it is an
    application's own: `Parts` come with the request.
    """
    together, closed = APIRouter(), [Depends(authenticate)]
    for router in ROUTERS:
        together.include_router(router, dependencies=closed, responses=RESPONSES, max_body_size=BODY_LIMIT_BYTES)
    together.include_router(health.metrics_router, dependencies=closed, responses=RESPONSES)
    return tuple(together.routes)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    parts: Parts = app.state.parts
    parts.pool.open()
    parts.hub.start()
    try:
        async with AsyncExitStack() as running:
            for extension in app.state.extensions:
                await running.enter_async_context(extension.running())
            yield
    finally:
        await parts.hub.stop()
        parts.pool.close()


def _long_bodies(extensions: Sequence[Extension]) -> LongBodies:
    return [(route, extension.body_limit_bytes) for extension in extensions for route in extension.router.routes]
