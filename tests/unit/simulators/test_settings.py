from simulators.settings import DEVICE_SETTINGS, SITE_SETTINGS
from simulators.systems.registry import MODELS


def test_settings_are_those_of_models_that_there_are() -> None:
    assert set(DEVICE_SETTINGS) <= set(MODELS)


def test_settings_of_sites_need_nothing_to_be_said() -> None:
    for kind in SITE_SETTINGS.values():
        kind()
