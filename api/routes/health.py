"""GET /v1/health for people, /metrics for Prometheus; /healthz and /readyz for whoever starts and stops programs."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.access import Viewer
from api.models.operation import Health
from api.parts import Shared
from veldwatch import __version__
from veldwatch.storage.health import check_ready, tell_health

router = APIRouter(prefix="/v1/health", tags=["operation"])
metrics_router = APIRouter(tags=["operation"])
open_router = APIRouter(tags=["operation"])

_BEHIND_SECONDS = 60.0


@router.get("")
def read_health(parts: Shared, bearer: Viewer) -> Health:
    """Tell how the whole is doing: who is behind, what waits, how much arrives."""
    with parts.pool.lend() as connection:
        told = tell_health(connection, bearer.scope)
    behind = any(consumer["seconds"] >= _BEHIND_SECONDS for consumer in told["consumers"])
    return Health.model_validate(
        {
            **told,
            "status": "behind" if behind else "ok",
            "version": __version__,
            "stream_clients": parts.hub.subscribers,
        }
    )


@metrics_router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def read_metrics() -> Response:
    """Give this program's metrics in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@open_router.get("/healthz")
def read_liveness() -> dict[str, str]:
    """Say that the program runs, whatever the database does."""
    return {"status": "ok", "version": __version__}


@open_router.get("/readyz")
def read_readiness(parts: Shared) -> dict[str, str]:
    """Say that requests can be answered; 503 when the database is away or was never migrated."""
    with parts.pool.lend() as connection:
        check_ready(connection)
    return {"status": "ready"}
