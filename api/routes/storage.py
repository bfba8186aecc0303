"""GET /v1/storage: what the database takes and how its upkeep goes, for who operates the platform."""

from dataclasses import asdict

from fastapi import APIRouter

from api.access import UnscopedOperator
from api.models.storage import Storage
from api.parts import Shared
from veldwatch.storage.storage_status import is_unwell, tell_storage

router = APIRouter(prefix="/v1/storage", tags=["operation"])


@router.get("")
def read_storage(parts: Shared, bearer: UnscopedOperator) -> Storage:
    """Tell sizes, bytes per reading, months or chunks, and jobs; nothing is counted for it."""
    del bearer
    with parts.pool.lend() as connection:
        told = tell_storage(connection)
    divided = [
        {**asdict(one), "bytes_per_row": one.bytes_per_row, "compressed_bytes_per_row": one.compressed_bytes_per_row}
        for one in told.divided
    ]
    upkeep = [
        {
            **asdict(work),
            "late_seconds": None if work.late_by is None else work.late_by.total_seconds(),
            "unwell": is_unwell(work),
        }
        for work in told.upkeep
    ]
    return Storage.model_validate(
        {
            "server": str(told.server),
            "bytes": told.bytes,
            "divided": divided,
            "whole": [asdict(one) for one in told.whole],
            "upkeep": upkeep,
        }
    )
