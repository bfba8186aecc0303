"""Push data source, folders and dashboards to a Grafana by its API.

For a Grafana that does not read our files: a tenant's own, or a managed one. A dashboard has one owner: one that was
provisioned from files cannot be written here, and Grafana says so.
"""

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, cast

import niquests
from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException, TokenAuth
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from dashboards import datasource
from dashboards.catalogue import CATALOGUE, FOLDERS
from dashboards.rendering import to_text
from veldwatch.errors import ConfigurationInvalid, ProvisioningFailed
from veldwatch.storage.dashboards import READER, ReaderAddress

_TIMEOUT_SECONDS = 10.0


class Grafana:
    """A Grafana's API, with its errors as ours.

    Args:
        url: without credentials.
        token: of a service account with the role Admin.
        user: `name:password`, in place of a token.
    """

    def __init__(self, url: str, *, token: str = "", user: str = "") -> None:
        self.url = url
        if bool(token) == bool(user):
            raise ConfigurationInvalid(
                "no way to log in to Grafana, or two (expected either --token or --user name:password)"
            )
        name, _, password = user.partition(":")
        credential = TokenAuth(token) if token else (name, password)
        self.api = GrafanaApi.from_url(url, credential=credential, timeout=_TIMEOUT_SECONDS)

    def wait(self, seconds: float) -> None:
        """Return when Grafana and its own database answer.

        `/api/health` is asked, not the library's `health.check`, which reads the front end's settings.

        Raises:
            ProvisioningFailed: it did not within the time.
        """
        attempts = Retrying(
            stop=stop_after_delay(seconds),
            wait=wait_exponential_jitter(multiplier=0.2, max=3, jitter=0.2),
            retry=retry_if_exception_type(ProvisioningFailed),
            reraise=True,
        )
        attempts(self._check)

    def _check(self) -> None:
        with self.asking("health"):
            health = cast("object", self.api.client.GET("/health"))
        if not isinstance(health, dict) or cast("dict[str, Any]", health).get("database") != "ok":
            raise ProvisioningFailed(
                f"Grafana at {self.url!r} is not ready: {health!r} (expected a database that is ok)"
            )

    @contextmanager
    def asking(self, what: str) -> Generator[None]:
        """Raise `ProvisioningFailed` in place of the errors of two libraries (no connection is no Grafana error)."""
        try:
            yield
        except GrafanaException as error:
            raise ProvisioningFailed(f"{what}: Grafana at {self.url!r} refused: {error}") from error
        except niquests.exceptions.RequestException as error:
            raise ProvisioningFailed(f"{what}: Grafana at {self.url!r} does not answer: {error}") from error


def publish_source(grafana: Grafana, address: ReaderAddress, password: str) -> str:
    """Make or update the data source; what was done, as a line."""
    sources = cast("Any", grafana.api.datasource)  # untyped
    content = _source(address, password)
    with grafana.asking("data source"):
        if _is_there(sources.get_datasource_by_uid, datasource.UID):
            sources.update_datasource_by_uid(datasource.UID, content)
            return f"data source {datasource.UID}: updated"
        sources.create_datasource(content)
    return f"data source {datasource.UID}: created"


def publish_dashboards(grafana: Grafana) -> Iterator[str]:
    """Make the folders that are missing and write every dashboard; one line each, as it is done."""
    folders = cast("Any", grafana.api.folder)  # untyped
    for folder in FOLDERS:
        with grafana.asking(f"folder {folder.uid}"):
            if _is_there(folders.get_folder, folder.uid):
                continue
            folders.create_folder(folder.title, folder.uid)
        yield f"folder {folder.uid}: created"
    for entry in CATALOGUE:
        model = cast("dict[str, Any]", json.loads(to_text(entry.build())))
        request = {"dashboard": model, "folderUid": entry.folder.uid, "overwrite": True, "message": "veldwatch"}
        with grafana.asking(f"dashboard {model['uid']}"):
            grafana.api.dashboard.update_dashboard(request)
        yield f"dashboard {model['uid']}: written"


def _is_there(get: Callable[[str], object], uid: str) -> bool:
    try:
        get(uid)
    except GrafanaClientError as error:
        if error.status_code == HTTPStatus.NOT_FOUND:
            return False
        raise
    return True


def _source(address: ReaderAddress, password: str) -> dict[str, Any]:
    return {
        "name": "Veldwatch",
        "uid": datasource.UID,
        "type": datasource.TYPE,
        "access": "proxy",
        "url": address.host,
        "user": READER,
        "isDefault": True,
        "jsonData": {
            # without it the front end refuses to ask
            "database": address.database,
            "sslmode": address.sslmode,
            "postgresVersion": 1500,
            # our queries use date_bin, which every edition has, so no macro needs to know
            "timescaledb": False,
            "timeInterval": "10s",
            "maxOpenConns": 10,
            "maxIdleConns": 10,
            "connMaxLifetime": 14400,
        },
        "secureJsonData": {"password": password},
    }
