"""The console's files at `/`: right types, an ETag on each, and asked for again whenever they may have changed."""

import mimetypes
from os import PathLike, stat_result
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

CONSOLE = Path(__file__).parent / "console"

# The machine's own tables differ; these the console needs everywhere.
_TYPES = {
    ".css": "text/css",
    ".geojson": "application/geo+json",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".pbf": "application/x-protobuf",
    ".pmtiles": "application/octet-stream",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


class ConsoleFiles(StaticFiles):
    """Static files of one folder, `index.html` for the folder itself."""

    def __init__(self, folder: Path = CONSOLE) -> None:
        for suffix, kind in _TYPES.items():
            mimetypes.add_type(kind, suffix)
        super().__init__(directory=folder, html=True, check_dir=False)

    def file_response(
        self, full_path: "str | PathLike[str]", stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Answer with a file, or 304 where the asker has it already."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        # Vendored libraries change with a release only; all else is checked by ETag at each visit.
        vendored = "vendor" in Path(full_path).parts
        response.headers["Cache-Control"] = "public, max-age=86400" if vendored else "no-cache"
        return response
