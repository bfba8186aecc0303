"""GET /v1/me: whose token this is."""

from fastapi import APIRouter

from api.access import Viewer
from api.models.operation import Me

router = APIRouter(prefix="/v1/me", tags=["access"])


@router.get("")
def read_me(bearer: Viewer) -> Me:
    """Say whose token was shown, and what it may do."""
    return Me(name=bearer.name, role=bearer.role.value, organisation=bearer.organisation)
