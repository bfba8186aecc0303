"""The simulator's view: a fault with its size, a run that is started and stopped."""

from playwright.sync_api import expect

from tests.acceptance.console.conftest import Open
from tests.integration.api.world import World
from veldwatch.storage.connection import Connection
from veldwatch.storage.simulation import list_faults
from veldwatch.storage.simulation_runs import list_runs


def test_a_fault_of_a_chosen_size_is_asked_for_and_stopped(visit: Open, made: World, connection: Connection) -> None:
    connection.execute("UPDATE device SET tags = '{model:water_meter}' WHERE id = %s", (made.meter,))
    connection.commit()
    page = visit("/simulator").page
    expect(page.get_by_label("What")).to_have_value("leak")
    size = page.get_by_label("Litres per hour")
    expect(size).to_have_value("300")
    size.fill("120")
    page.get_by_role("button", name="Start the fault").click()
    faults = page.get_by_role("region", name="Faults", exact=True)
    expect(faults.get_by_text("Leak behind a meter")).to_be_visible()
    expect(faults.get_by_text("(120 L/h)")).to_be_visible()
    (fault,) = list_faults(connection)
    connection.commit()
    assert (fault.kind, fault.size, fault.device_id) == ("leak", 120.0, made.meter)
    faults.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("No simulated device")).not_to_be_visible()


def test_a_kind_offers_only_what_it_suits_and_a_size_beyond_its_limits_is_told(
    visit: Open, made: World, connection: Connection
) -> None:
    connection.execute("UPDATE device SET tags = '{model:water_meter}' WHERE id = %s", (made.meter,))
    connection.commit()
    page = visit("/simulator", expected=("422",)).page
    kinds = page.get_by_label("What")
    assert "mortality" not in kinds.inner_html()
    kinds.select_option("bypass")
    expect(page.get_by_label("Where").locator("option")).to_have_count(1)
    share = page.get_by_label("Share")
    share.evaluate("input => { input.max = 9; input.value = 7; }")
    page.get_by_role("button", name="Start the fault").click()
    expect(page.get_by_text("bad share: 7")).to_be_visible()


def test_a_scenario_is_started_and_stopped(visit: Open, connection: Connection) -> None:
    page = visit("/simulator").page
    expect(page.get_by_text("No simulated device")).to_be_visible()
    page.get_by_label("Scenario").select_option("town")
    page.get_by_role("button", name="Start the scenario").click()
    stop = page.get_by_role("button", name="of town")
    expect(stop).to_be_visible()
    (run,) = list_runs(connection)
    connection.commit()
    stop.click()
    expect(page.get_by_text("nothing told yet")).to_be_visible()
    page.wait_for_timeout(300)
    assert run.scenario == "town"
    assert list_runs(connection)[0].stop_requested_at is not None
