"""How fast and at what cost people may ask: cooldowns, and budgets of a month.

All of it is counted in rows: a restart forgets nothing, and two processes
count together. Months are those of UTC.
"""

from dashboard.services.budgets.admission import (
    FULL,
    SAVE_AT,
    WARN_AT,
    Admission,
    OverBudget,
    TooFast,
    admit,
    check_open,
    used_share,
)
from dashboard.services.budgets.counting import charge, cost_of_month
from dashboard.services.budgets.months import key, next_month, this_month

__all__ = [
    "FULL",
    "SAVE_AT",
    "WARN_AT",
    "Admission",
    "OverBudget",
    "TooFast",
    "admit",
    "charge",
    "check_open",
    "cost_of_month",
    "key",
    "next_month",
    "this_month",
    "used_share",
]
