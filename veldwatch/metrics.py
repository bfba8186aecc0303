"""Prometheus metrics of a program, and a small server for them where the program has no HTTP server of its own.

Names follow Prometheus' conventions: `veldwatch_<what>_<unit>[_total]`. Counters that tell of drops, retries and
suppressions carry a `reason` from the closed list that error, log and row share.
"""

from prometheus_client import start_http_server

from veldwatch.config import Settings


def serve_metrics(settings: Settings) -> None:
    """Answer `/metrics` on `VELDWATCH_METRICS_PORT` from a thread of its own; 0: not at all."""
    if settings.metrics_port:
        start_http_server(settings.metrics_port, addr=settings.api_host)
