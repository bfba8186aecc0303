"""What every measurement gives."""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(ABC):
    """What was measured, and where; its fields are the JSON object's."""

    def document(self) -> dict[str, object]:
        """Give it as a JSON object."""
        return asdict(self)

    @property
    @abstractmethod
    def reconciled(self) -> bool:
        """Tell whether all that was sent is accounted for."""
