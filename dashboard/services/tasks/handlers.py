"""Which function runs which kind of task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from trainerbot.errors import NotFound

if TYPE_CHECKING:
    from dashboard.services.tasks.leases import Run


@dataclass(frozen=True, slots=True)
class Later:
    """A handler returns this to be called again after `seconds`, from its checkpoint."""

    seconds: float


Handler = Callable[["Run"], Any]
# Where the handler of a kind lives; imported when the first such task comes.
MODULES = {
    "copy-version": "dashboard.services.drafts",
    "discard-version": "dashboard.services.drafts",
    "discord-request": "dashboard.services.requests",
    "edit-draft": "dashboard.services.drafts",
    "evaluate": "dashboard.services.evaluations.work",
    "evaluate-suite": "dashboard.services.suites.work",
    "examine": "dashboard.services.examination",
    "export": "dashboard.services.exports",
    "finetune": "dashboard.services.finetunes",
    "freeze-version": "dashboard.services.drafts",
    "import-check": "dashboard.services.imports",
    "import-rows": "dashboard.services.imports",
    "judge-job": "dashboard.services.verdicts.asking",
    "retirements": "dashboard.services.retirements.telling",
    "shadow": "dashboard.services.releases.shadow",
    "train-taught": "dashboard.services.trainings.work",
    "verdict": "dashboard.services.verdicts.deciding",
}
_handlers: dict[str, Handler] = {}


def handler(kind: str) -> Callable[[Handler], Handler]:
    """Register the decorated function for tasks of `kind`.

    It gets its Run, and returns its result (JSON), or Later to wait. It may
    be called again from its last checkpoint at any time.
    """

    def register(function: Handler) -> Handler:
        _handlers[kind] = function
        return function

    return register


def find(kind: str) -> Handler:
    if kind not in _handlers and kind in MODULES:
        import_module(MODULES[kind])
    try:
        return _handlers[kind]
    except KeyError as error:
        raise NotFound(f"No handler is registered for tasks of kind {kind!r}.") from error
