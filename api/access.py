"""Who asks: a bearer token in the `Authorization` header, looked up on every request.

Routes are closed by the list in `api/app.py`, not one by one; a route that changes something asks for `Operator`.
What a token may not see looks as if it did not exist, so its `scope` goes into every query.
"""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.parts import Parts, get_parts
from veldwatch.errors import NotAuthenticated, NotPermitted
from veldwatch.storage.tokens import Bearer, Role, find_bearer

_scheme = HTTPBearer(
    auto_error=False, scheme_name="token", description="a token of `veldwatch token create`, which begins with `vw_`"
)
_HOW = "expected `Authorization: Bearer vw_...` (make one with `veldwatch token create`)"


def authenticate(
    request: Request,
    parts: Annotated[Parts, Depends(get_parts)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_scheme)],
) -> Bearer:
    """Say who bears the token of this request.

    Raises:
        NotAuthenticated: there is none, or it is unknown, revoked or over.
    """
    if credentials is None:
        raise NotAuthenticated(f"no token ({_HOW})")
    with parts.pool.lend() as connection:
        bearer = find_bearer(connection, credentials.credentials)
    if bearer is None:
        raise NotAuthenticated(f"the token is unknown, revoked or over ({_HOW})")
    request.state.token = credentials.credentials
    return bearer


def require_operator(bearer: Annotated[Bearer, Depends(authenticate)]) -> Bearer:
    """Let operators pass.

    Raises:
        NotPermitted: the token is a viewer's.
    """
    if bearer.role is not Role.OPERATOR:
        raise NotPermitted(f"token {bearer.name!r} is a {bearer.role.value}'s (expected an operator's)")
    return bearer


def require_unscoped_operator(bearer: Annotated[Bearer, Depends(require_operator)]) -> Bearer:
    """Let operators of all organisations pass, where it cannot be told whose something is.

    Raises:
        NotPermitted: the token is a viewer's, or of one organisation.
    """
    if bearer.scope is not None:
        raise NotPermitted(f"token {bearer.name!r} is for {bearer.organisation!r} (expected one for all organisations)")
    return bearer


Viewer = Annotated[Bearer, Depends(authenticate)]
Operator = Annotated[Bearer, Depends(require_operator)]
UnscopedOperator = Annotated[Bearer, Depends(require_unscoped_operator)]
