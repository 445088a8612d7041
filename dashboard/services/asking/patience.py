"""What a task does when the endpoint, the disk or the database is not there: it waits, in words."""

import logging
from collections.abc import Callable
from typing import Final

from dashboard.services import storage, tasks
from dashboard.services.tasks import Later, Run
from trainerbot.errors import ProviderUnavailable, StorageFull, TrainerBotError

log = logging.getLogger(__name__)

LONGEST_WAIT_S: Final = 60.0
DATABASE_WAIT_S: Final = 5.0


def patiently(
    run: Run,
    ask: Callable[[], None],
    *,
    settle: Callable[[str], None],
    tell: Callable[[str], None],
) -> Later | None:
    """Do `ask`, the asking of all that is left, and settle; None when it is over.

    An endpoint that does not answer is waited for: 2, 4, 8 ... 60 s, and
    `tell` says what for. Any other refusal settles with its words and is
    raised, and so does a person who cancels.
    """
    try:
        with storage.failures_in_words():
            run.save()  # What is to stop asks nobody first.
            ask()
            settle("")
    except tasks.LeaseLost:
        raise
    except tasks.Cancelled:
        settle("")
        raise
    except storage.DatabaseUnavailable as error:
        log.warning("%s waits for the database: %s", run.task, error.__cause__)
        return Later(DATABASE_WAIT_S)
    except (ProviderUnavailable, StorageFull) as error:
        n_failures = int(run.checkpoint.get("n_failures", 0)) + 1
        try:
            run.save(step="waiting", n_failures=n_failures)
        except tasks.Cancelled:
            settle("")
            raise
        tell(str(error))
        return Later(min(2.0 ** min(n_failures, 10), LONGEST_WAIT_S))
    except TrainerBotError as error:
        settle(str(error))
        raise
    return None
