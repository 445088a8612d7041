"""The task `import-survey`: what a checked file would cost, repeat and give away.

It begins once the verdict is on the page, reads the file a second time, and
steps aside as soon as somebody imports it, drops it or has it checked again.
"""

import contextlib
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction

from dashboard.models import DatasetImport, Task
from dashboard.services import assistant, examination, outbox, providers, tasks
from dashboard.services.imports import moving
from dashboard.services.imports.moving import State
from dashboard.services.tasks import Run
from trainerbot.curation import Survey, survey
from trainerbot.errors import TrainerBotError
from trainerbot.formats import Options, read
from trainerbot.formats.targets import target_named
from trainerbot.formats.tokens import TokenCounter, counter

SURVEY = "import-survey"
ANY = "any"


class _Superseded(TrainerBotError):
    """The import has moved on; nobody reads this survey any more."""


def look(
    path: Path,
    *,
    file_format: str,
    options: Options,
    n_rows: int,
    target: str = "",
    progress: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Return what a checked file would cost, repeat and give away, as it is shown and stored.

    n_rows: its usable rows. Tokens are counted as the target does, or else
    as the endpoint that is set. Raises OSError when the file has gone.
    """
    found = survey(
        read(path, format=file_format, options=options),
        n_rows=n_rows,
        n_bytes=0 if path.is_dir() else path.stat().st_size,
        count=_counter(target),
        progress=progress,
    )
    return as_row(found)


def of_import(
    imported: DatasetImport, *, progress: Callable[[float], None] | None = None
) -> dict[str, Any]:
    """Return what `look` finds in the file of a checked import that has usable rows."""
    return look(
        moving.path_of(imported),
        file_format=imported.file_format,
        options=moving.options_of(imported),
        n_rows=imported.report["n_examples"],
        target=imported.target,
        progress=progress,
    )


def as_row(found: Survey) -> dict[str, Any]:
    tokens = found.tokens
    price = assistant.current().training_price
    return {
        "state": "done",
        "rows": found.n_rows,
        "looked_at": found.n_looked_at,
        "is_sample": found.is_sample,
        "tokens": {
            "encoding": tokens.encoding,
            "total": found.n_tokens,
            "median": tokens.median,
            "longest": tokens.longest,
            "histogram": [list(bucket) for bucket in tokens.buckets],
        },
        "price": {
            "is_free": providers.uses_embedded_server(),
            "per_million": None if price is None else str(price),
            "one_epoch": None if price is None else str(price * found.n_tokens / 1_000_000),
        },
        "duplicates": {
            "exact": found.n_exact,
            "compared": found.n_compared,
            "near": found.n_near,
        },
        "private": {"rows": found.n_private, "kinds": found.private_kinds},
    }


def as_text(found: dict[str, Any]) -> list[str]:
    """The same in a few sentences, for a terminal and for Discord."""
    tokens, price = found["tokens"], found["price"]
    duplicates, private = found["duplicates"], found["private"]
    about = "about " if found["is_sample"] else ""
    among = f" of a sample of {found['looked_at']:,} rows" if found["is_sample"] else ""
    cost = f"Cost: {about}{tokens['total']:,} tokens ({tokens['encoding']}) an epoch"
    if price["is_free"]:
        cost += ", free on this machine."
    elif price["one_epoch"] is None:
        cost += "; an admin can enter a price in Settings."
    else:
        per_million = Decimal(price["per_million"]).normalize()
        cost += f", {about}{Decimal(price['one_epoch']):,.2f} at {per_million:f} a million."
    first = (
        ""
        if duplicates["compared"] == found["rows"]
        else f" of the first {duplicates['compared']:,}"
    )
    repeats = f"Duplicates: {duplicates['exact']:,} word for word{first}, {duplicates['near']:,} nearly{among}."
    kinds = ", ".join(f"{kind.replace('_', ' ')} {n:,}" for kind, n in private["kinds"].items())
    secrets = f"Private data: in {private['rows']:,} rows{among}" + (
        f" ({kinds})." if kinds else "."
    )
    return [cost, repeats, secrets]


def request(imported: DatasetImport) -> Task | None:
    """Queue the survey of a checked file; None when there is nothing to look at.

    Called in the transaction that stores the report, which it marks. Checks
    and imports go before surveys.
    """
    if not imported.report.get("n_examples"):
        return None
    task = tasks.submit(SURVEY, args={"import_id": imported.pk}, priority=-1, max_attempts=3)
    imported.report = {**imported.report, "survey": {"state": "waiting", "task": task.pk}}
    imported.save(update_fields=["report"])
    return task


@tasks.handler(SURVEY)
def run_survey(run: Run) -> dict[str, Any]:
    """Survey a checked file while its page waits; whatever goes wrong, the import itself goes on."""
    imported = DatasetImport.objects.get(pk=run.args["import_id"])
    try:
        _tell(imported, run, {"state": "running", "task": run.task.pk})
        found = of_import(imported, progress=_beat(imported, run))
        _tell(imported, run, {**found, "task": run.task.pk})
    except _Superseded:
        return {"state": "superseded"}
    except (tasks.LeaseLost, tasks.Cancelled):
        raise
    except TrainerBotError as error:
        with contextlib.suppress(_Superseded):
            _tell(imported, run, {"state": "failed", "said": str(error)})
        raise
    except OSError:
        # Imported or dropped meanwhile: its bytes are gone, and so is the page.
        return {"state": "gone"}
    return {"state": "done"}


def _counter(target: str) -> TokenCounter:
    if target and target != ANY:
        return counter(target_named(target).encoding)
    return examination.usual_counter()[1]


def _beat(imported: DatasetImport, run: Run) -> Callable[[float], None]:
    last = time.monotonic()

    def tick(share: float) -> None:
        nonlocal last
        if time.monotonic() - last < moving.SAVE_EVERY_S:
            return
        last = time.monotonic()
        state = DatasetImport.objects.filter(pk=imported.pk).values_list("state", flat=True).first()
        if state != State.CHECKED:
            raise _Superseded("The import has moved on.")
        run.save(progress=share)

    return tick


def _tell(imported: DatasetImport, run: Run, found: dict[str, Any]) -> None:
    """Write down what is known, if the report is still the one that asked for it."""
    with transaction.atomic():
        run.save()
        row = DatasetImport.objects.select_for_update().filter(pk=imported.pk).first()
        asked = row.report.get("survey", {}).get("task") if row else None
        if row is None or row.state != State.CHECKED or asked != run.task.pk:
            raise _Superseded("The import has moved on.")
        row.report = {**row.report, "survey": found}
        row.save(update_fields=["report"])
        outbox.publish(
            moving.topic(imported), "import.surveyed", key=str(imported.key), state=found["state"]
        )
