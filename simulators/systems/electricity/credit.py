"""Prepaid electricity: a balance in kWh that falls with use, is topped up by tokens, and switches the customer off."""

import math

import numpy as np

from simulators.chance import Chance, Floats
from simulators.moment import Moment
from simulators.systems.system import Flags, Rows

# Assumed, from the small and frequent purchases that Jack and Smith, "Pay as you go: pre-paid metering and electricity
# expenditures in South Africa" (International Growth Centre, 2015) describe: three days' to two weeks' use at a time,
# bought when less than a day or two is left, after half a day on average; so that some run out.
_BOUGHT_DAYS = (3.0, 14.0)
_LOW_DAYS = (0.5, 2.0)
_DELAY_SECONDS = 12 * 3600.0
_SHOP_HOURS = (6.0, 21.0)
_OPEN_SHARE = (_SHOP_HOURS[1] - _SHOP_HOURS[0]) / 24.0


class Credit:
    """The balances of p prepaid customers.

    Args:
        chance: of their names.
        annual_kwh: what each uses in a year.

    Attributes:
        kwh: what each has left, at least 0.
        is_cut: who is switched off.
    """

    def __init__(self, chance: Chance, annual_kwh: Floats) -> None:
        self._chance = chance
        self._daily = annual_kwh / 365.25
        self._low = self._daily * chance.between("low", *_LOW_DAYS)
        self.kwh: Floats = self._low + self._daily * chance.between("first credit", 0.0, _BOUGHT_DAYS[1])
        self.is_cut: Flags = np.zeros(len(annual_kwh), dtype=np.bool_)

    def spend(self, kwh: Floats) -> Floats:
        """Take what is used off the balances, and return what there was credit for."""
        spent = np.minimum(kwh, self.kwh)
        self.kwh = self.kwh - spent
        return spent

    def top_up(self, powered: Flags, moment: Moment) -> tuple[Rows, Floats]:
        """Let those who are low buy; returns who did, and how many kWh.

        Args:
            powered: whose meter has supply, without which it takes no token.
        """
        due = (self.kwh < self._low) & powered
        if not _SHOP_HOURS[0] <= moment.hour < _SHOP_HOURS[1] or not due.any():
            return np.empty(0, dtype=np.intp), np.empty(0)
        likely = 1.0 - math.exp(-moment.seconds / (_DELAY_SECONDS * _OPEN_SHARE))
        due &= self._chance.uniform("buy", moment.number) < likely
        rows = np.flatnonzero(due)
        days = self._chance.between("bought", *_BOUGHT_DAYS, moment.number)
        bought = np.maximum(np.round(self._daily[rows] * days[rows]), 1.0)
        self.kwh[rows] += bought
        return rows, bought

    def switch(self) -> tuple[Rows, Rows]:
        """Open and close the meters' switches by the balances; returns who is off from now on, and who is on again."""
        empty = self.kwh <= 0.0
        off, on = np.flatnonzero(empty & ~self.is_cut), np.flatnonzero(~empty & self.is_cut)
        self.is_cut = empty
        return off, on
