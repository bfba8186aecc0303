"""Places: into how many shares the subjects of rules are divided among workers, and which share is whose.

A subject belongs to the share that its name hashes to, whatever the rule: all versions of a rule fold it in one place.
"""

from dataclasses import dataclass
from hashlib import md5


@dataclass(frozen=True, slots=True)
class Place:
    """One share of a division.

    Attributes:
        number: from 1 to `division`.
        division: how many shares there are.
    """

    number: int = 1
    division: int = 1

    def holds(self, subject: str) -> bool:
        """Tell whether a subject is of this share; the SQL function `rule_place` says the same."""
        return self.division == 1 or place_of(subject, self.division) == self.number

    @property
    def consumer(self) -> str:
        """Name its cursor in the log."""
        return "rules" if self.division == 1 else f"rules-{self.number}of{self.division}"

    def __str__(self) -> str:
        return f"{self.number} of {self.division}"


EVERYTHING = Place()
"""The one share of a division in one."""


def places(division: int) -> list[Place]:
    """List the shares of a division."""
    return [Place(number, division) for number in range(1, division + 1)]


def place_of(subject: str, division: int) -> int:
    """Number the share that a subject belongs to: MD5, which PostgreSQL and Python have alike, spreads well."""
    return int(md5(subject.encode(), usedforsecurity=False).hexdigest()[:8], 16) % division + 1
