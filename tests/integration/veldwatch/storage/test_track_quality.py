"""The view `position` judges fixes by speed as `veldwatch.model.track` does, whatever the order of arrival."""

import itertools
import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from veldwatch.model.identifiers import DeviceId, OrganisationId
from veldwatch.model.register import Device, Profile, Subject
from veldwatch.model.telemetry import Quality
from veldwatch.model.track import Place, SpeedLimits, is_implausible
from veldwatch.storage import deployments, log, register
from veldwatch.storage.connection import Connection
from veldwatch.storage.folds import read_watched
from veldwatch.storage.intake import IntakeWriter

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = 3600 * 1_000_000
FIRST = round(START.timestamp()) * 1_000_000


@pytest.fixture
def organisation(connection: Connection) -> OrganisationId:
    return register.ensure_organisation(connection, "reserve")


def _collar(connection: Connection, organisation: OrganisationId, **known: object) -> DeviceId:
    collar = Device(organisation_id=organisation, external_id="c-1", source="veldwatch", **known)  # pyright: ignore[reportArgumentType]
    return register.ensure_device(connection, collar)


def _animal(connection: Connection, organisation: OrganisationId, device: DeviceId, **known: object) -> None:
    values = {"slug": "tembo", "name": "Tembo", "kind": "animal"} | known
    subject = register.ensure_subject(connection, Subject(organisation_id=organisation, **values))  # pyright: ignore[reportArgumentType]
    deployments.create_deployment(connection, device, subject, None)


def _store(dsn: str, device: DeviceId, places: list[Place], *, at_once: bool = True) -> None:
    rows = np.zeros(len(places), log.POSITIONS)
    rows["device_id"] = device
    for name in ("altitude", "speed", "heading"):
        rows[name] = np.nan
    rows["observed_at"] = rows["received_at"] = [place.at for place in places]
    rows["longitude"] = [place.longitude for place in places]
    rows["latitude"] = [place.latitude for place in places]
    rows["accuracy"] = [np.nan if place.accuracy is None else place.accuracy for place in places]
    writer = IntakeWriter(dsn, prepare=False)
    writer.make_room("position_raw", rows["observed_at"])
    for part in [rows] if at_once else np.split(rows, len(rows)):
        with writer.connection.transaction():
            writer.store_positions(part)
    writer.close()


def _marked(connection: Connection) -> list[bool]:
    rows = connection.execute("SELECT quality FROM position ORDER BY observed_at").fetchall()
    return [bool(quality & Quality.IMPLAUSIBLE) for (quality,) in rows]


def _hourly(*longitudes: float) -> list[Place]:
    return [Place(FIRST + number * HOUR, longitude, -2.0) for number, longitude in enumerate(longitudes)]


def test_an_outlier_is_marked_in_every_order_of_arrival(
    dsn: str, connection: Connection, organisation: OrganisationId
) -> None:
    device = _collar(connection, organisation)
    _animal(connection, organisation, device, species="Loxodonta africana")
    connection.commit()
    track = _hourly(30, 30.1, 35, 30.2)
    for order in itertools.permutations(track):
        connection.execute("TRUNCATE position_raw")
        connection.commit()
        _store(dsn, device, list(order), at_once=False)
        assert _marked(connection) == [False, False, True, False]
        connection.commit()
    raw = connection.execute("SELECT DISTINCT quality FROM position_raw").fetchall()
    assert raw == [(0,)]


def test_a_fix_out_and_back_is_marked_for_a_species_that_walks(
    dsn: str, connection: Connection, organisation: OrganisationId
) -> None:
    device = _collar(connection, organisation)
    _animal(connection, organisation, device, species="Panthera leo")
    connection.commit()
    _store(dsn, device, _hourly(30, 30.01, 30.3, 29.7, 30.02, 30.03))
    assert _marked(connection) == [False, False, True, True, False, False]
    connection.execute("UPDATE subject SET species = 'Gyps africanus'")
    assert _marked(connection) == [False] * 6


def test_a_subjects_own_limit_goes_before_its_species_and_that_before_the_profiles(
    dsn: str, connection: Connection, organisation: OrganisationId
) -> None:
    profile = register.ensure_profile(
        connection, Profile(slug="collar", name="Collar", kind="tracker", maximum_speed=1.0)
    )
    device = _collar(connection, organisation, profile_id=profile)
    connection.commit()
    _store(dsn, device, _hourly(30, 30.1))  # 3.1 m/s
    assert _marked(connection) == [False, True]
    _animal(connection, organisation, device, species="Loxodonta africana")
    assert _marked(connection) == [False, False]
    connection.execute("UPDATE subject SET maximum_speed = 3")
    assert _marked(connection) == [False, True]


def test_fixes_without_a_limit_are_left_as_they_are(
    dsn: str, connection: Connection, organisation: OrganisationId
) -> None:
    device = _collar(connection, organisation)
    connection.commit()
    _store(dsn, device, _hourly(30, 60, 90))
    assert _marked(connection) == [False] * 3


def test_the_view_and_the_model_agree_on_wild_tracks_over_several_deployments(
    dsn: str, connection: Connection, organisation: OrganisationId
) -> None:
    wild = random.Random(28)  # noqa: S311  # no secret
    profile = register.ensure_profile(
        connection, Profile(slug="collar", name="Collar", kind="tracker", maximum_speed=2.0)
    )
    device = _collar(connection, organisation, profile_id=profile)
    for number, species in enumerate(("Loxodonta africana", "Panthera leo", "Testudo graeca")):
        subject = Subject(organisation_id=organisation, slug=f"a-{number}", name="A", kind="animal", species=species)
        since = START + timedelta(hours=50 * number)
        deployments.create_deployment(
            connection, device, register.ensure_subject(connection, subject), since, since + timedelta(hours=40)
        )
    connection.commit()
    track: list[Place] = []
    longitude = 30.0
    for number in range(200):
        longitude += wild.gauss(0, wild.choice([0.02, 0.2]))
        jump = wild.choice([0, 0, 0, 0, 0.5, -0.5, 3, -3, 40])
        at = FIRST + number * HOUR - 5 * HOUR + wild.randrange(HOUR)
        accuracy = wild.choice([None, 5.0, 2500.0])
        track.append(Place(at, longitude + jump, wild.uniform(-3, -2), accuracy))
    _store(dsn, device, wild.sample(track, len(track)))
    (watched,) = read_watched(connection).devices
    expected = [is_implausible(place, track[:n], track[n + 1 :], watched.speed_limits) for n, place in enumerate(track)]
    assert watched.speed_limits != SpeedLimits()
    assert 20 < sum(expected) < 180
    assert _marked(connection) == expected
