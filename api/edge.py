"""What happens to every request and answer at the edge: security headers, the limit on bodies, counting, defects.

It stands outside of everything else, so that also the answer to a defect has the headers and the one problem shape.
"""

import time
from collections.abc import Sequence

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import internal_problem, problem_response

BODY_LIMIT_BYTES = 1_000_000

# MapLibre makes its workers from blobs, and images of the map and of charts are blobs or data.
# Source: maplibre.org, "CSP Directives". Styles: MapLibre and uPlot set them on elements by script, which needs no
# 'unsafe-inline'.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "child-src blob:",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

_requests = Counter("veldwatch_api_requests", "answers", ["method", "route", "status"])
_seconds = Histogram("veldwatch_api_request_seconds", "time to the first byte of an answer", ["route"])
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
_log = structlog.stdlib.get_logger()


LongBodies = Sequence[tuple[BaseRoute, int]]
"""Routes that take longer bodies, each with its own limit in bytes."""


class Edge:
    """An ASGI application around another."""

    def __init__(self, app: ASGIApp, *, longer: LongBodies = ()) -> None:
        self._app = app
        self._longer = longer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        answer = _Answer(send)
        try:
            limit = self._exceeded_limit(scope)
            if limit is not None:
                detail = f"the body is too long (expected at most {limit} bytes)"
                await problem_response(scope["path"], 413, detail)(scope, receive, answer.send)
            else:
                await self._app(scope, receive, answer.send)
        except Exception as error:
            # The top of a request: one defect costs one request, is logged whole, and is told without a trace.
            _log.error("answered 500", path=scope["path"], reason=str(error), exc_info=error)
            if answer.status is not None:
                raise
            await internal_problem(Request(scope).url.path)(scope, receive, answer.send)
        finally:
            _count(scope, answer, began)

    def _exceeded_limit(self, scope: Scope) -> int | None:
        """Give the limit that a body says to exceed; what it does not say is counted while it is read."""
        length = Headers(scope=scope).get("content-length", "")
        if not length.isdecimal() or int(length) <= BODY_LIMIT_BYTES:
            return None
        own = (limit for route, limit in self._longer if route.matches(scope)[0] is Match.FULL)
        limit = next(own, BODY_LIMIT_BYTES)
        return limit if int(length) > limit else None


class _Answer:
    """Adds the headers to an answer and notes its status."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None
        self.began: float | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.began = time.perf_counter()
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await self._send(message)


def _count(scope: Scope, answer: _Answer, began: float) -> None:
    # The route's template, never the path: labels must not grow with what people ask for.
    route = getattr(scope.get("route"), "path", None) or "other"
    method = scope["method"] if scope["method"] in _METHODS else "other"
    _requests.labels(method, route, str(answer.status or 0)).inc()
    if answer.began is not None:
        _seconds.labels(route).observe(answer.began - began)
