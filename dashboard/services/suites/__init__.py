"""Suites of tests, run against any model: what gates and verdicts are built on.

    version = suites.corrections_suite(guild=None)      # every approved correction, frozen
    run = suites.submit(version=version, model="ft:x", with_recall=True, created_by=user)
    ...                                                  # a worker asks; run.is_finished
    comparison = suites.compare(run, other)              # of the same version

`submit` queues and `work` runs it; `results` reads what it came to
(`run.scores`), `cancel` stops it with what it has.
"""

from dashboard.services.suites.erasing import erase
from dashboard.services.suites.estimates import of_run as expected
from dashboard.services.suites.everyday import MAX_TOKENS as EVERYDAY_TOKENS
from dashboard.services.suites.everyday import (
    are_too_few,
    everyday_suite,
    is_everyday,
    said,
    without_everyday,
)
from dashboard.services.suites.library import from_split, resolve, upload
from dashboard.services.suites.news import TOPIC, topic
from dashboard.services.suites.results import Comparison, Tag, answers, as_json, compare
from dashboard.services.suites.runs import cancel, default_prompt, get, needs_judge_model, submit
from dashboard.services.suites.taught import corrections_suite, set_judge
from dashboard.services.suites.taught import in_force as corrections_in_force

__all__ = [
    "EVERYDAY_TOKENS",
    "TOPIC",
    "Comparison",
    "Tag",
    "answers",
    "are_too_few",
    "as_json",
    "cancel",
    "compare",
    "corrections_in_force",
    "corrections_suite",
    "default_prompt",
    "erase",
    "everyday_suite",
    "expected",
    "from_split",
    "get",
    "is_everyday",
    "needs_judge_model",
    "resolve",
    "said",
    "set_judge",
    "submit",
    "topic",
    "upload",
    "without_everyday",
]
