"""Every error that Veldwatch raises on purpose.

    VeldwatchError
    ├── ConfigurationInvalid        a setting, file or command line is wrong; nothing was started
    ├── MessageRejected             a message, or a part of it, cannot be stored; carries a Reason
    ├── RuleInvalid                 a rule file or definition is wrong; nothing was loaded
    ├── BacktestTooLarge            more alerts come of a back-test than can be held; nothing of it is told
    ├── ScenarioInvalid             a simulator scenario is wrong; nothing was published
    ├── NotFound                    what was named does not exist, or may not be seen by the asker
    ├── Conflict                    the change collides with what is stored
    ├── NotAuthenticated            the asker did not say who they are, or not convincingly
    ├── NotPermitted                the asker is known, and may not do this
    ├── RequestInvalid              a request asks for something that makes no sense, or for too much at once
    ├── Overloaded                  more is being done than can be held; the same request may work in a moment
    ├── ServiceFailed               an embedded service did not start or died
    ├── ShareFailed                 one process of a run that is shared out over several died; the others were stopped
    ├── ProvisioningFailed          Grafana was not reached or refused; what it took before stays
    ├── DeliveryFailed              a notification was not taken; `permanent` tells whether to try again
    └── StorageError
        ├── StorageUnavailable      temporary: the server is away, restarting, out of connections or room
        │   ├── QueryTooSlow        the server cancelled the query at its time limit; a smaller one may do
        │   └── MemoryChanged       another writer changed what a decoder remembers; decode again, and store
        ├── StorageRejected         permanent: the server refused this statement or these values
        └── SchemaMismatch          the database's migrations do not match this program

Messages are lower case and say what, the value by repr, what was expected and what to do.
"""

from veldwatch.model.reasons import Reason


class VeldwatchError(Exception):
    """Something that Veldwatch can name went wrong."""


class ConfigurationInvalid(VeldwatchError):
    """A setting, a file or a command line is wrong; nothing was started."""


class MessageRejected(VeldwatchError):
    """A message, or a part of it, cannot be stored.

    Attributes:
        reason: one of the closed list that error, log, metric and quarantine row share.
        detail: a sentence for a person.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


class RuleInvalid(VeldwatchError):
    """A rule file or definition is wrong; nothing was loaded."""


class BacktestTooLarge(VeldwatchError):
    """More alerts come of a back-test than can be held, or than anybody could look at."""


class ScenarioInvalid(VeldwatchError):
    """A simulator scenario is wrong; nothing was published."""


class NotFound(VeldwatchError):
    """What was named does not exist, or may not be seen by the asker."""


class Conflict(VeldwatchError):
    """The change collides with what is stored."""


class NotAuthenticated(VeldwatchError):
    """The asker did not say who they are, or not convincingly."""


class NotPermitted(VeldwatchError):
    """The asker is known, and may not do this."""


class RequestInvalid(VeldwatchError):
    """A request asks for something that makes no sense, or for too much at once."""


class Overloaded(VeldwatchError):
    """More is being done than can be held: the same request may work in a moment."""


class ServiceFailed(VeldwatchError):
    """An embedded service did not start, or died."""


class ShareFailed(VeldwatchError):
    """One process of a run that is shared out over several ended before its time; the others were stopped."""


class ProvisioningFailed(VeldwatchError):
    """Grafana was not reached, or refused; what it took before stays. The same command may be given again."""


class DeliveryFailed(VeldwatchError):
    """A notification was not taken by its receiver.

    Attributes:
        permanent: True when trying again cannot help (an unknown mailbox, a 4xx answer).
        retry_after_seconds: how long the receiver asked to be left alone; None: it did not say.
    """

    def __init__(self, message: str, *, permanent: bool, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after_seconds = retry_after_seconds


class StorageError(VeldwatchError):
    """The database could not do what was asked."""


class StorageUnavailable(StorageError):
    """The server is away, restarting, out of connections or of room: the same call may work later."""


class QueryTooSlow(StorageUnavailable):
    """The server cancelled the query at its time limit: a smaller one may do."""


class MemoryChanged(StorageUnavailable):
    """Another writer changed what a decoder remembers: decode the messages again, then the same call may work."""


class StorageRejected(StorageError):
    """The server refused this statement or these values: the same call fails again."""


class SchemaMismatch(StorageError):
    """The database's migrations do not match this program: run `veldwatch migrate`."""
