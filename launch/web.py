"""The one address over HTTP: the API with its console, and beside it the intake.

Programs do not know each other; here, above them, the intake's routes become part of the API's application, so that
there is one address, one description (OpenAPI) and one shape of problems.
"""

from fastapi import FastAPI

from api.app import Extension, create_app
from ingest.http.bodies import SENT_LIMIT_BYTES
from ingest.http.routes import HttpIntake
from veldwatch.config import Settings


def create_web_app(settings: Settings) -> FastAPI:
    """Build the application.

    Raises:
        ConfigurationInvalid: no database is named, or a source is wrong.
    """
    intake = HttpIntake(settings)
    extension = Extension(router=intake.router, running=intake.running, body_limit_bytes=SENT_LIMIT_BYTES)
    return create_app(settings, [extension])
