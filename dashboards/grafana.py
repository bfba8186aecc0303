"""A Grafana's HTTP API by grafana-client, with its errors as ours.

What the library has no call for goes by its client, so that log-in, time limit and errors are the same.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, cast

import niquests
from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException, TokenAuth
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from veldwatch.errors import ConfigurationInvalid, ProvisioningFailed

_TIMEOUT_SECONDS = 10.0


class Grafana:
    """One organisation of a Grafana, as one account sees it.

    Args:
        url: without credentials.
        token: of a service account with the role Admin; it is bound to its organisation.
        user: `name:password`, in place of a token.
        organisation: Grafana's id of it; None: the token's, or the one that the user looked at last.
    """

    def __init__(self, url: str, *, token: str = "", user: str = "", organisation: int | None = None) -> None:
        self.url = url
        if bool(token) == bool(user):
            raise ConfigurationInvalid(
                "no way to log in to Grafana, or two (expected either --token or --user name:password)"
            )
        self.login, _, password = user.partition(":")
        self._user = user
        credential = TokenAuth(token) if token else (self.login, password)
        # Untyped from here on: the library's methods return what JSON says. It puts the path before `api` as it is.
        self.api: Any = GrafanaApi.from_url(url.rstrip("/") + "/", credential=credential, timeout=_TIMEOUT_SECONDS)
        self.client: Any = self.api.client
        if organisation is not None:
            # `from_url` does not take it as the class itself does (grafana-client 5.1.4)
            self.client.s.headers["X-Grafana-Org-Id"] = str(organisation)

    def within(self, organisation: int) -> "Grafana":
        """Look at another organisation of the same Grafana, by the same user.

        Raises:
            ConfigurationInvalid: a token is bound to one organisation.
        """
        if not self._user:
            raise ConfigurationInvalid("tenants need --user name:password (a token is bound to one organisation)")
        return Grafana(self.url, user=self._user, organisation=organisation)

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
            health: object = self.client.GET("/health")
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


def found(ask: Callable[[], Any]) -> dict[str, Any] | None:
    """Give what Grafana has, or None where it says that it has no such thing."""
    try:
        return ask()
    except GrafanaClientError as error:
        if error.status_code == HTTPStatus.NOT_FOUND:
            return None
        raise
