"""TLS to the broker, for every program of ours that is its client."""

import ssl

from veldwatch.config import Settings
from veldwatch.errors import ConfigurationInvalid


def broker_tls(settings: Settings) -> ssl.SSLContext:
    """Make what verifies the broker, and shows it our certificate where we have one.

    Raises:
        ConfigurationInvalid: a file cannot be read, or is not what it should be.
    """
    try:
        context = ssl.create_default_context(cafile=settings.mqtt_ca_file)
        if settings.mqtt_certificate_file is not None:
            # With an empty pass phrase a key that needs one is an error, and not a question on the terminal.
            context.load_cert_chain(settings.mqtt_certificate_file, settings.mqtt_key_file, password=lambda: "")
    except (OSError, ValueError) as error:
        files = [settings.mqtt_ca_file, settings.mqtt_certificate_file, settings.mqtt_key_file]
        named = ", ".join(repr(str(file)) for file in files if file is not None)
        raise ConfigurationInvalid(
            f"bad VELDWATCH_MQTT_CA_FILE, _CERTIFICATE_FILE or _KEY_FILE: {named} ({error}; expected PEM files, the key"
            " without a pass phrase)"
        ) from error
    return context
