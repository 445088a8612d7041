"""Asking models many things at once, in a task: for tests on labels and for suites."""

from dashboard.services.asking.crowd import AT_ONCE, AT_ONCE_OURS, MAX_REFUSED_IN_A_ROW, Crowd
from dashboard.services.asking.patience import patiently

__all__ = ["AT_ONCE", "AT_ONCE_OURS", "MAX_REFUSED_IN_A_ROW", "Crowd", "patiently"]
