"""The task `examine`: how long, how alike, how private and how balanced the rows of a version are.

What is found is written beside the rows, where filters find it, and summed
up in `DatasetVersion.summary`. Nothing here changes what a row says, so a
frozen version is examined like a draft.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import accumulate, repeat
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet, TextField
from django.db.models.functions import Cast, Length
from django.utils.timezone import now

from dashboard.models import DatasetVersion, Example, Task
from dashboard.services import (
    assistant,
    datasets,
    likeness,
    outbox,
    provenance,
    providers,
    searching,
    tasks,
)
from dashboard.services.likeness import MAX_NEAR
from dashboard.services.tasks import Run
from trainerbot.curation import (
    balance,
    find_private,
    fingerprint,
    outliers,
    text_of,
)
from trainerbot.errors import TrainerBotError
from trainerbot.formats.rows import Kind
from trainerbot.formats.tokens import Histogram, TokenCounter, counter

EXAMINE = "examine"
BATCH = 1_000
BATCH_CHARACTERS = 4_000_000
_GONE = object()
AFTER_EDITS = timedelta(seconds=2)
_TABLE = Example._meta.db_table


def request(version: DatasetVersion, *, soon: bool = False) -> Task:
    """Queue the examination of `version`, unless it waits already.

    soon: at once; else two seconds from now, so that a hand that edits row
    after row asks for one examination.
    """
    waiting = Task.objects.filter(
        kind=EXAMINE, state=Task.State.READY, args={"version": version.pk}
    ).first()
    if waiting is not None:
        return waiting
    with transaction.atomic():
        _tell(version, {**version.summary, "state": "waiting"})
        return tasks.submit(
            EXAMINE,
            args={"version": version.pk},
            run_at=now() if soon else now() + AFTER_EDITS,
            max_attempts=20,
        )


def request_missing() -> None:
    """Queue what was never examined to its end: versions from before, and tasks that broke."""
    never = Q(summary__state__isnull=True) | ~Q(summary__state="done")
    for version in DatasetVersion.objects.filter(never):
        if not Task.objects.unfinished().filter(kind=EXAMINE, args={"version": version.pk}):
            request(version)


@tasks.handler(EXAMINE)
def examine(run: Run) -> dict[str, Any]:
    """Look at every row that was not looked at yet, then at all of them together."""
    version = DatasetVersion.objects.filter(pk=run.args["version"]).first()
    if version is None:
        return {"state": "deleted"}
    kind, rows = Kind(version.kind), version.examples.kept()
    total = rows.count()
    _tell(version, {**version.summary, "state": "running", "step": "reading every example"})
    encoding, count = usual_counter()
    if version.summary.get("tokens", {}).get("encoding") not in (None, encoding):
        rows.update(n_tokens=None)
    n_done = 0
    for batch in _batches(rows.filter(Q(n_tokens=None) | Q(n_private=None) | Q(digest=None))):
        n_done += len(batch)
        looked_at = _read(batch, kind, count)
        with transaction.atomic():
            run.save(step="reading", progress=0.7 * n_done / max(total, 1))
            _write(looked_at)
    summary: dict[str, Any] = {"state": "done", "tokens": _tokens(rows, encoding)}
    run.save(step="comparing", progress=0.7)
    _tell(version, {**version.summary, "step": "looking for duplicates"})
    summary["duplicates"] = _duplicates(run, version, rows, kind, total)
    run.save(step="adding up", progress=0.95)
    summary["private"] = _private(version, rows, kind)
    summary["lengths"] = _lengths(rows)
    summary["labels"] = _labels(rows)
    summary["sources"] = provenance.by_source(provenance.shares(version))
    with transaction.atomic():
        _tell(version, summary)
    return {"version": version.pk}


def in_words(version_id: int) -> str | None:
    """What an examination found: what training costs, duplicates, private data; None until then."""
    summary = DatasetVersion.objects.values_list("summary", flat=True).filter(pk=version_id).first()
    if not summary or summary.get("state") != "done":
        return None
    n_tokens, price = summary["tokens"]["total"], assistant.current().training_price
    cost = ""
    if providers.uses_embedded_server():
        cost = ", free to train on here"
    elif price is not None:
        cost = f", ${price * n_tokens / 1_000_000:,.2f} an epoch"
    n_copies = summary["duplicates"]["exact"] + summary["duplicates"]["near"]
    return (
        f"{n_tokens:,} tokens{cost}. Duplicates: {n_copies:,}. "
        f"With private data: {summary['private']['rows']:,}."
    )


def usual_counter() -> tuple[str, TokenCounter]:
    """How the tokens of the endpoint that is set are counted: exactly for its usual models."""
    if providers.uses_embedded_server():
        try:
            return "smollm2", counter("smollm2")
        except TrainerBotError:
            pass  # Its vocabulary comes with the model, which this platform may lack.
    return "o200k_base", counter("o200k_base")


def _batches(rows: QuerySet[Example]) -> Iterator[list[Example]]:
    """Rows in order, a batch at a time; rows that change behind the reader do not matter."""
    last = -1
    fields = rows.only("pk", "position", "record", "digest", "version_id").order_by("position")
    sizes = rows.annotate(size=Length(Cast("record", TextField()))).order_by("position")
    while some := list(sizes.filter(position__gt=last).values_list("position", "size")[:BATCH]):
        # Rows of many megabytes come by few, so that memory stays what it is for others.
        size_so_far = list(accumulate(size for _, size in some))
        n_rows = max(bisect_right(size_so_far, BATCH_CHARACTERS), 1)
        first, last = last, some[n_rows - 1][0]
        yield list(fields.filter(position__gt=first, position__lte=last))


class _LookedAt(NamedTuple):
    """What was found in a row, and its words where the index may lack them."""

    row: Example
    n_tokens: int
    n_private: int
    digest: int
    words: str


def _read(batch: Sequence[Example], kind: Kind, count: TokenCounter) -> list[_LookedAt]:
    """Find the length and the private places of some rows; it takes its time and locks nothing."""
    counts = count.count([row.record for row in batch], kind)
    found = []
    for row, n_tokens in zip(batch, counts, strict=True):
        text = text_of(row.record, kind)
        n_private = min(len(find_private(text)), 30_000)
        digest = fingerprint(row.record, kind) if row.digest is None else row.digest
        # Rows from before there were digests were not in the index either.
        words = text if row.digest is None else ""
        found.append(_LookedAt(row, n_tokens, n_private, digest, words))
    return found


def _write(found: Sequence[_LookedAt]) -> None:
    """Write down what was found in rows that nobody rewrote since they were read."""
    rows = Example.objects.select_for_update().filter(pk__in=[each.row.pk for each in found])
    digests = dict(rows.values_list("pk", "digest"))
    same = [each for each in found if digests.get(each.row.pk, _GONE) == each.row.digest]
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {_TABLE} SET n_tokens = %s, n_private = %s, digest = %s WHERE id = %s",
            [(each.n_tokens, each.n_private, each.digest, each.row.pk) for each in same],
        )
    searching.add((each.row.pk, each.words) for each in same if each.row.digest is None)


def _tokens(rows: QuerySet[Example], encoding: str) -> dict[str, Any]:
    histogram = Histogram()
    lengths = rows.order_by().values_list("n_tokens").annotate(n=Count("*"))
    for n_tokens, n in lengths.iterator(chunk_size=5_000):
        histogram.add(repeat(n_tokens or 0, n))
    found = histogram.report(encoding=encoding, context_tokens=None)
    return {
        "encoding": encoding,
        "total": found.total,
        "median": found.median,
        "p95": found.p95,
        "longest": found.longest,
        "n_epochs": found.n_epochs,
        "billed": found.billed_tokens(),
        "histogram": [list(bucket) for bucket in found.buckets],
    }


def _duplicates(
    run: Run, version: DatasetVersion, rows: QuerySet[Example], kind: Kind, total: int
) -> dict[str, Any]:
    """Mark each row that repeats an earlier one, word for word or nearly."""
    marks = likeness.exact(rows, kind, beat=run.save)
    n_exact = len(marks)
    n_near: int | None = None
    if total <= MAX_NEAR:
        marks |= likeness.near(rows, kind, besides=marks, progress=_beat(run, total))
        n_near = len(marks) - n_exact
    with transaction.atomic():
        run.save()
        likeness.mark(version, marks)
    return {"exact": n_exact, "near": n_near, "looked_among": MAX_NEAR}


def _beat(run: Run, total: int) -> Callable[[int], None]:
    """What a long comparison calls: it keeps the lease and hears of a cancellation."""
    pace = tasks.Pace(1.0)

    def tick(n_read: int) -> None:
        if pace.is_due():
            run.save(progress=0.7 + 0.25 * min(n_read / max(total, 1), 1.0))

    return tick


def _private(version: DatasetVersion, rows: QuerySet[Example], kind: Kind) -> dict[str, Any]:
    """How many rows hold private places, and of which kinds (of the first 20,000 such rows)."""
    marked = rows.filter(n_private__gt=0)
    kinds: Counter[str] = Counter()
    for record in marked.order_by("position").values_list("record", flat=True)[:20_000]:
        kinds.update({finding.kind for finding in find_private(text_of(record, kind))})
    return {"rows": marked.count(), "kinds": dict(kinds.most_common())}


def _lengths(rows: QuerySet[Example]) -> dict[str, Any]:
    """Mark the rows that are far shorter or longer than the rest."""
    lengths = list(rows.order_by("position").values_list("n_tokens", flat=True))
    found = outliers([length or 0 for length in lengths])
    with transaction.atomic():
        rows.exclude(outlier=0).update(outlier=0)
        if found.short:
            rows.filter(n_tokens__lt=found.low).update(outlier=-1)
        if found.long:
            rows.filter(n_tokens__gt=found.high).update(outlier=1)
    return {
        "short": len(found.short),
        "long": len(found.long),
        "low": found.low,
        "high": found.high,
    }


def _labels(rows: QuerySet[Example]) -> dict[str, Any]:
    counted = rows.exclude(label="").values_list("label").annotate(n=Count("*")).order_by("-n")
    counts = dict(counted[:200])
    if not counts:
        return {"counts": {}, "said": ""}
    labels = (label for label, n in counts.items() for _ in range(n))
    return {"counts": counts, "said": balance(labels).said or ""}


def _tell(version: DatasetVersion, summary: dict[str, Any]) -> None:
    with transaction.atomic():
        DatasetVersion.objects.filter(pk=version.pk).update(summary=summary)
        version.summary = summary
        outbox.publish(
            datasets.topic(version),
            "dataset.examined",
            id=version.dataset_id,
            state=summary["state"],
        )
