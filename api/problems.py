"""One shape for everything that goes wrong: RFC 9457 problem+json, chosen by one look-up from error to status.

A problem says what was wrong and what to do. It never holds a stack trace, a driver's message or a value that was
sent: those may be secrets, and what the server made of them is in its log.
"""

import re
from http import HTTPStatus
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from veldwatch import errors
from veldwatch.errors import VeldwatchError

MEDIA_TYPE = "application/problem+json"
_log = structlog.stdlib.get_logger()

# What a caller can mend is told in the error's own words; the rest in ours.
_STATUSES: dict[type[VeldwatchError], int] = {
    errors.NotAuthenticated: 401,
    errors.NotPermitted: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.RequestInvalid: 422,
    errors.ConfigurationInvalid: 422,
    errors.RuleInvalid: 422,
    errors.Overloaded: 503,
    errors.QueryTooSlow: 504,
}
_OUTAGES: dict[type[VeldwatchError], str] = {
    errors.StorageUnavailable: "the database does not answer (try again in some seconds)",
    errors.SchemaMismatch: (
        "the database's schema does not fit this program (run `veldwatch migrate`, or start the newer one)"
    ),
}
# Python's phrases for these changed with RFC 9110; the problem's type must not.
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}
_RULE_PART = re.compile(r"bad (?P<at>[^\s:]+)[^:]*:")
_INTERNAL = "the server failed on this request (its log says more; report it if it happens again)"


class FieldProblem(BaseModel):
    """What is wrong with one part of a request."""

    at: str = Field(examples=["query.limit"])
    detail: str = Field(examples=["input should be less than or equal to 10000"])


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(examples=["urn:veldwatch:problem:not-found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["no device 17 (list them with GET /v1/devices)"])
    instance: str = Field(examples=["/v1/devices/17"])
    errors: list[FieldProblem] | None = None


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "model": Problem,
        "description": _TITLES.get(status) or HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {}},
    }
    for status in (401, 403, 404, 422, 503)
}
"""What every route may answer besides its own, for OpenAPI."""


def problem_response(
    path: str,
    status: int,
    detail: str,
    *,
    fields: list[FieldProblem] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Build the answer to a request that failed."""
    title = _TITLES.get(status) or HTTPStatus(status).phrase
    problem = Problem(
        type="urn:veldwatch:problem:" + title.lower().replace(" ", "-"),
        title=title,
        status=status,
        detail=detail,
        instance=path,
        errors=fields,
    )
    content = problem.model_dump(exclude_none=True)
    return JSONResponse(content, status, headers={**_extra_headers(status), **(headers or {})}, media_type=MEDIA_TYPE)


def on_veldwatch_error(request: Request, error: Exception) -> Response:
    """Answer one of our own errors."""
    for kind in type(error).__mro__:
        if kind in _STATUSES:
            fields = _rule_fields(str(error)) if kind is errors.RuleInvalid else None
            return problem_response(request.url.path, _STATUSES[kind], str(error), fields=fields)
        if kind in _OUTAGES:
            _log.warning("answered 503", path=request.url.path, reason=str(error))
            return problem_response(request.url.path, 503, _OUTAGES[kind])
    _log.error("answered 500", path=request.url.path, reason=str(error), exc_info=error)
    return internal_problem(request.url.path)


def on_http_exception(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: an unknown path, a wrong method, a body that is too long."""
    status = getattr(error, "status_code", 500)
    headers = dict(getattr(error, "headers", None) or {})
    return problem_response(request.url.path, status, _refusal(request, status, error), headers=headers)


def on_validation_error(request: Request, error: Exception) -> Response:
    """Answer a request whose parameters or body are not what the route expects."""
    found: list[Any] = list(error.errors()) if isinstance(error, RequestValidationError) else []
    fields = [FieldProblem(at=".".join(str(part) for part in e["loc"]), detail=_sentence(e["msg"])) for e in found]
    detail = "; ".join(f"bad {field.at}: {field.detail}" for field in fields[:5]) or "the request cannot be read"
    return problem_response(request.url.path, 422, detail, fields=fields[:50])


def internal_problem(path: str) -> Response:
    """Build the answer to a defect."""
    return problem_response(path, 500, _INTERNAL)


EXCEPTION_HANDLERS: dict[int | type[Exception], Any] = {
    VeldwatchError: on_veldwatch_error,
    HTTPException: on_http_exception,
    RequestValidationError: on_validation_error,
}


def _rule_fields(message: str) -> list[FieldProblem] | None:
    """Tell which part of a rule a message is about: its own words begin with the path, `bad condition.above: ...`."""
    found = _RULE_PART.match(message)
    return None if found is None else [FieldProblem(at=found["at"], detail=message[found.end() :].strip())]


def _refusal(request: Request, status: int, error: Exception) -> str:
    match status:
        case 404:
            return f"nothing is at {request.url.path!r} (GET /v1/openapi.json lists what there is)"
        case 405:
            return f"{request.method} is not possible here (GET /v1/openapi.json lists what is)"
        case 413:
            said = str(getattr(error, "detail", ""))
            return said if said.startswith("the body") else "the body is too long"
        case _:
            return _sentence(str(getattr(error, "detail", "") or HTTPStatus(status).phrase))


def _extra_headers(status: int) -> dict[str, str]:
    match status:
        case 401:
            return {"WWW-Authenticate": 'Bearer realm="veldwatch"'}
        case 503:
            return {"Retry-After": "5"}
        case _:
            return {}


def _sentence(text: str) -> str:
    return text[:1].lower() + text[1:]
