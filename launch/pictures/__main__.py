"""`python -m launch.pictures`: draw what each dashboard shows of four simulated weeks into docs/images/dashboards."""

import logging
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from dashboards.catalogue import CATALOGUE
from dashboards.pictures.sheet import draw
from dashboards.rendering import model_of
from launch.pictures.asking import Asker, become_reader
from launch.pictures.world import CHOICES, ENDS_AT, make_world
from launch.scorecard.bench import empty_database, temporary_server
from veldwatch.config import load_settings
from veldwatch.storage.connection import Connection, connect

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "images" / "dashboards"
LENGTH = timedelta(days=28)


def main() -> None:
    """Make the world, ask, draw."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with temporary_server() as server:
        dsn = empty_database(server, "pictures")
        make_world(load_settings().model_copy(update={"dsn": dsn}), ENDS_AT - LENGTH)
        draw_all(dsn, FOLDER)


def draw_all(dsn: str, folder: Path, now: datetime = ENDS_AT) -> None:
    """Draw every dashboard of the catalogue from a database that `make_world` filled."""
    folder.mkdir(parents=True, exist_ok=True)
    with connect(dsn, autocommit=True) as connection:
        become_reader(connection)
        for entry in CATALOGUE:
            picture = draw_one(connection, entry.name, now)
            (folder / f"{entry.name}.svg").write_text(picture, encoding="utf-8")


def draw_one(connection: Connection, name: str, now: datetime) -> str:
    """Draw one dashboard as the text of an SVG file."""
    asker = Asker(connection=connection, model=model_of(name), now=now, choices=CHOICES.get(name, {}))
    asker.choose()
    model, alone = asker.written_out()
    shown = [panel for panel in model["panels"] if panel["type"] != "row"]
    answers = {panel["id"]: asker.answers(panel, alone.get(panel["id"], {})) for panel in shown}
    windows = {panel["id"]: (asker.window_of(panel).since, now) for panel in shown}
    return draw(model, answers, windows, asker.alerts())


if __name__ == "__main__":
    main()
