"""Grafana's provisioning files agree with the catalogue and with what is published by API."""

from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, Field

from dashboards import datasource
from dashboards.catalogue import CATALOGUE, FOLDERS
from dashboards.rendering import FOLDER

PROVISIONING = FOLDER.parent / "provisioning"


class Strict(BaseModel, extra="forbid"):
    """A mapping without keys that nobody reads."""


class Options(Strict):
    path: str


class Provider(Strict):
    """One folder of files. Source: Grafana's documentation, provisioning."""

    name: str
    orgId: Literal[1]  # noqa: N815  # Grafana's name
    type: Literal["file"]
    folder: str
    folderUid: str  # noqa: N815
    disableDeletion: bool  # noqa: N815
    allowUiUpdates: Literal[False]  # noqa: N815
    updateIntervalSeconds: Annotated[int, Field(gt=10)]  # noqa: N815  # 10 or less watches the file system
    options: Options


class Providers(Strict):
    apiVersion: Literal[1]  # noqa: N815
    providers: list[Provider]


def test_there_is_one_provider_for_each_folder_of_the_catalogue() -> None:
    text = (PROVISIONING / "dashboards" / "veldwatch.yaml").read_text(encoding="utf-8")
    providers = Providers.model_validate(yaml.safe_load(text)).providers
    assert [(p.name, p.folder, p.folderUid) for p in providers] == [(f.name, f.title, f.uid) for f in FOLDERS]
    assert [p.options.path for p in providers] == [f"/var/lib/grafana/dashboards/{f.name}" for f in FOLDERS]
    assert {entry.folder for entry in CATALOGUE} == set(FOLDERS)


def test_the_data_source_is_the_one_that_every_panel_names() -> None:
    text = (PROVISIONING / "datasources" / "veldwatch.yaml").read_text(encoding="utf-8")
    (source,) = yaml.safe_load(text)["datasources"]
    assert (source["uid"], source["type"]) == (datasource.UID, datasource.TYPE)
    assert source["user"] == "grafana_ro"
    assert source["editable"] is False
    assert source["jsonData"]["database"]
