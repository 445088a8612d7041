"""Which model answers under a name, for whom, and since when.

A place asks for "@support" as it asks for a model. Under that name a release
(a model with its prompt and settings) answers everybody, another one perhaps
a share of the people, and a third one is perhaps asked unseen.
"""

from dashboard.services.releases.aliases import (
    TOPIC,
    create,
    delete,
    get,
    guard,
    guild_ids,
    places_with,
)
from dashboard.services.releases.direct import ReasonNeeded, answers_without, permit
from dashboard.services.releases.gate import (
    being_tested,
    judge_of,
    objections,
    price,
    run_of,
    submit_test,
    test,
    versions,
)
from dashboard.services.releases.moving import (
    before,
    draft,
    promote,
    roll_back,
    start_canary,
    start_shadow,
    stop_canary,
    stop_shadow,
)

__all__ = [
    "TOPIC",
    "ReasonNeeded",
    "answers_without",
    "before",
    "being_tested",
    "create",
    "delete",
    "draft",
    "get",
    "guard",
    "guild_ids",
    "judge_of",
    "objections",
    "permit",
    "places_with",
    "price",
    "promote",
    "roll_back",
    "run_of",
    "start_canary",
    "start_shadow",
    "stop_canary",
    "stop_shadow",
    "submit_test",
    "test",
    "versions",
]
