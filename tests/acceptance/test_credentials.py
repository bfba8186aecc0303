"""A device's whole life in a running stack: registered, let in, heard over MQTT and HTTP, revoked and cut off."""

from pathlib import Path

import httpx

from tests.acceptance.processes import StackProcess
from tests.integration.launch.mqtt_clients import Peer, is_let_in, until
from veldwatch.model.register import Device
from veldwatch.storage import register
from veldwatch.storage.connection import connect


def test_a_credential_of_the_api_opens_broker_and_http_until_it_is_revoked(tmp_path: Path) -> None:
    with StackProcess("up", tmp_path / "home") as stack:
        run = stack.run
        with connect(run["dsn"]) as connection:
            organisation = register.ensure_organisation(connection, "kasama-water")
            device = register.ensure_device(
                connection, Device(organisation_id=organisation, external_id="meter-1", source="veldwatch")
            )
        operator = httpx.Client(base_url=run["api"], headers={"Authorization": f"Bearer {run['token']}"}, timeout=20)
        issued = operator.post(f"/v1/devices/{device}/credentials", json={}).json()
        name, secret, port = issued["username"], issued["secret"], run["mqtt"]["port"]
        assert (issued["mqtt_host"], issued["mqtt_port"]) == (run["mqtt"]["host"], port)
        until(lambda: is_let_in(port, name, secret), "the device is not let in")
        with Peer(port, name, secret) as peer:
            for place in range(2):
                body = b'{"observed_at": %d, "readings": {"volume": %d}}' % (1_795_341_600 + place, place)
                peer.client.publish("veldwatch/v1/kasama-water/meter-1/readings", body, qos=1).wait_for_publish(10)
            over_http = operator.post(
                "/v1/readings",
                content=b'{"observed_at": 1795341700, "readings": {"volume": 7}}',
                auth=(name, secret),
                headers={"Content-Type": "application/json"},
            )
            assert over_http.json()["readings"] == {"new": 1, "duplicate": 0}, over_http.text
            until(
                lambda: len(operator.get("/v1/readings", params={"device": "meter-1"}).json()["items"]) == 3,
                "the readings are not stored",
            )
            assert operator.delete(f"/v1/credentials/{issued['id']}").status_code == 204
            until(peer.cut_off.is_set, "the revoked device is still connected")
        assert not is_let_in(port, name, secret)
        operator.close()
