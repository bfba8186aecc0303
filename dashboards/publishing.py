"""Bring one organisation of a Grafana to what the catalogue says: data source, folders, dashboards, home.

For an organisation that does not read our files: a tenant's, or a managed Grafana's. A dashboard has one owner: one
that was provisioned from files cannot be written here, and Grafana says so. What is as it should be is left alone.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from grafana_client.model import PersonalPreferences

from dashboards import datasource, links
from dashboards.catalogue import CATALOGUE, FOLDERS, Audience, Entry, Folder
from dashboards.grafana import Grafana, found
from dashboards.rendering import to_text
from veldwatch.errors import ProvisioningFailed
from veldwatch.storage.dashboards import ReaderAddress

MARK = "veldwatch"
"""Tag of the dashboards that were written here. A copy of ours has it too, but not a uid that begins like ours."""

_UIDS = "iot-"
# Grafana's own limit. Source: pkg/services/search, "limit" of at most 5000.
_MOST = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What the data source logs in with.

    Attributes:
        password: None: the one that Grafana knows already stays.
    """

    address: ReaderAddress
    role: str
    password: str | None


def has_source(grafana: Grafana) -> bool:
    """Tell whether our data source is there."""
    with grafana.asking("data source"):
        return found(lambda: grafana.api.datasource.get_datasource_by_uid(datasource.UID)) is not None


def publish_source(grafana: Grafana, source: Source) -> str:
    """Make or update the data source; what was done, as a line."""
    wanted = _source(source)
    name = f"data source {datasource.UID}"
    with grafana.asking(name):
        present = found(lambda: grafana.api.datasource.get_datasource_by_uid(datasource.UID))
        if present is None:
            grafana.api.datasource.create_datasource(wanted)
            return f"{name}: created"
        if source.password is None and _is_same_source(present, wanted):
            return f"{name}: unchanged"
        grafana.api.datasource.update_datasource_by_uid(datasource.UID, wanted)
    return f"{name}: updated"


def check_source(grafana: Grafana) -> str:
    """Let Grafana log in to the database; what it says, as a line.

    Raises:
        ProvisioningFailed: it cannot; with its reason.
    """
    name = f"data source {datasource.UID}"
    with grafana.asking(f"{name}, asking the database"):
        answer: dict[str, Any] = grafana.api.datasource.health(datasource.UID)
    if answer.get("status") != "OK":
        raise ProvisioningFailed(f"{name}: Grafana does not reach the database: {answer.get('message')!r}")
    return f"{name}: the database answers"


def publish_dashboards(grafana: Grafana, audience: Audience) -> Iterator[str]:
    """Make the folders that are missing and write the dashboards that differ; one line each, as it is done."""
    entries = [entry for entry in CATALOGUE if entry.is_for(audience)]
    for folder in FOLDERS:
        if any(entry.folder == folder for entry in entries):
            yield from _publish_folder(grafana, folder)
    unchanged = 0
    for entry in entries:
        line = _publish_dashboard(grafana, entry)
        unchanged += line is None
        if line:
            yield line
    if unchanged:
        yield f"dashboards: {unchanged} unchanged"


def remove_gone(grafana: Grafana, audience: Audience) -> Iterator[str]:
    """Remove dashboards and folders of ours that are not in the catalogue, or not for this audience; one line each.

    A folder that holds anything of somebody else's is kept, and said so.
    """
    wanted = {_model(entry)["uid"] for entry in CATALOGUE if entry.is_for(audience)}
    with grafana.asking("dashboards"):
        hits = grafana.api.search.search_dashboards(tag=MARK, type_="dash-db", limit=_MOST)
    for uid in sorted(hit["uid"] for hit in hits if hit["uid"].startswith(_UIDS) and hit["uid"] not in wanted):
        with grafana.asking(f"dashboard {uid}"):
            grafana.api.dashboard.delete_dashboard(uid)
        yield f"dashboard {uid}: removed"
    used = {entry.folder for entry in CATALOGUE if entry.is_for(audience)}
    for folder in FOLDERS:
        if folder not in used:
            yield from _remove_folder(grafana, folder)


def set_home(grafana: Grafana) -> Iterator[str]:
    """Open the overview first, unless somebody has chosen another dashboard."""
    with grafana.asking("home dashboard"):
        preferences: dict[str, Any] = grafana.api.organization.get_preferences()
        if preferences.get("homeDashboardUID"):
            return
        grafana.api.organization.patch_preferences(PersonalPreferences(homeDashboardUID=links.OVERVIEW))
    yield f"home dashboard: {links.OVERVIEW}"


def _publish_folder(grafana: Grafana, folder: Folder) -> Iterator[str]:
    with grafana.asking(f"folder {folder.uid}"):
        present = found(lambda: grafana.api.folder.get_folder(folder.uid))
        if present is None:
            grafana.api.folder.create_folder(folder.title, folder.uid)
            yield f"folder {folder.uid}: created"
        elif present["title"] != folder.title:
            grafana.api.folder.update_folder(folder.uid, title=folder.title, overwrite=True)
            yield f"folder {folder.uid}: renamed"


def _remove_folder(grafana: Grafana, folder: Folder) -> Iterator[str]:
    with grafana.asking(f"folder {folder.uid}"):
        if found(lambda: grafana.api.folder.get_folder(folder.uid)) is None:
            return
        # Grafana deletes a folder with all that is in it.
        held = len(grafana.api.search.search_dashboards(folder_uids=folder.uid, limit=_MOST))
        held += len(grafana.api.folder.get_all_folders(folder.uid))
        if not held:
            grafana.api.folder.delete_folder(folder.uid)
    yield f"folder {folder.uid}: " + (f"kept, it holds {held} of somebody else's" if held else "removed")


def _publish_dashboard(grafana: Grafana, entry: Entry) -> str | None:
    model = _model(entry)
    name = f"dashboard {model['uid']}"
    with grafana.asking(name):
        present = found(lambda: grafana.api.dashboard.get_dashboard(model["uid"]))
        if present is not None and _is_same_dashboard(present, model, entry.folder):
            return None
        grafana.api.dashboard.update_dashboard(
            {"dashboard": model, "folderUid": entry.folder.uid, "overwrite": True, "message": "veldwatch"}
        )
    return f"{name}: {'created' if present is None else 'updated'}"


@cache
def _model(entry: Entry) -> dict[str, Any]:
    """Build a dashboard once for all tenants; who gets it leaves it as it is."""
    model = cast("dict[str, Any]", json.loads(to_text(entry.build())))
    return {**model, "tags": [*model["tags"], MARK]}


def _is_same_dashboard(present: dict[str, Any], model: dict[str, Any], folder: Folder) -> bool:
    """Compare what both say; ids and versions are Grafana's."""
    shown = {key: value for key, value in present["dashboard"].items() if key not in {"id", "version"}}
    return present["meta"].get("folderUid") == folder.uid and shown == {
        key: value for key, value in model.items() if key != "id"
    }


def _is_same_source(present: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Compare all but the password, of which Grafana says only that it has one."""
    told = {key: present.get(key) for key in wanted if key not in {"jsonData", "secureJsonData"}}
    present_options: dict[str, Any] = present.get("jsonData") or {}
    secrets: dict[str, bool] = present.get("secureJsonFields") or {}
    options = {key: present_options.get(key) for key in wanted["jsonData"]}
    return {**told, "jsonData": options} == wanted and secrets.get("password", False)


def _source(source: Source) -> dict[str, Any]:
    content: dict[str, Any] = {
        "name": "Veldwatch",
        "uid": datasource.UID,
        "type": datasource.TYPE,
        "access": "proxy",
        "url": source.address.host,
        "user": source.role,
        "isDefault": True,
        "jsonData": {
            # without it the front end refuses to ask
            "database": source.address.database,
            "sslmode": source.address.sslmode,
            "postgresVersion": 1500,
            # our queries use date_bin, which every edition has, so no macro needs to know
            "timescaledb": False,
            "timeInterval": "10s",
            "maxOpenConns": 10,
            "maxIdleConns": 10,
            "connMaxLifetime": 14400,
        },
    }
    # Left out, Grafana keeps the password that it has. Source: pkg/services/datasources/service, UpdateDataSource.
    return content if source.password is None else {**content, "secureJsonData": {"password": source.password}}
