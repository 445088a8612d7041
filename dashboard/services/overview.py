"""The figures of the first page, each counted from rows, and fast however many there are."""

import statistics
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q
from django.utils.timezone import now

from dashboard.models import Correction, Dataset, FineTuneJob, Message

BUCKETS = 96
SAMPLE = 5_000


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts over the last 24 hours, and what waits for a person.

    median_reply_ms: of the answers by a model, None without any.
    failed_share: 0 to 1, of all answers, None without any.
    """

    n_messages: int
    n_messages_before: int
    median_reply_ms: int | None
    n_failed: int
    n_answers: int
    n_waiting_corrections: int
    n_corrections_in_force: int
    n_jobs_running: int
    n_datasets: int

    @property
    def failed_share(self) -> float | None:
        return self.n_failed / self.n_answers if self.n_answers else None


@dataclass(frozen=True, slots=True)
class Series:
    """Messages and median reply time in equal slices of time, oldest first.

    starts: Unix seconds at which each slice begins. median_ms: None where
    nothing was answered.
    """

    starts: list[int]
    n_messages: list[int]
    median_ms: list[float | None]


def figures() -> Figures:
    day_ago = now() - timedelta(days=1)
    recent = Message.objects.filter(created_at__gte=day_ago)
    is_answer = Q(role=Message.Role.ASSISTANT)
    counted = recent.aggregate(
        messages=Count("pk"),
        answers=Count("pk", filter=is_answer),
        failed=Count("pk", filter=is_answer & ~Q(error="")),
    )
    newest = recent.filter(is_answer, error="").order_by("-pk")
    # Told apart here: SQLite would rather look up all rows without a correction.
    sample = newest.values_list("total_ms", "correction")[:SAMPLE]
    times = [ms for ms, correction in sample if not correction and ms is not None]
    return Figures(
        n_messages=counted["messages"],
        n_messages_before=Message.objects.filter(
            created_at__gte=day_ago - timedelta(days=1), created_at__lt=day_ago
        ).count(),
        median_reply_ms=round(statistics.median(times)) if times else None,
        n_failed=counted["failed"],
        n_answers=counted["answers"],
        n_waiting_corrections=Correction.objects.proposed().count(),
        n_corrections_in_force=Correction.objects.approved().count(),
        n_jobs_running=FineTuneJob.objects.unfinished().count(),
        n_datasets=Dataset.objects.current().count(),
    )


def series(*, hours: int = 24) -> Series:
    """The last `hours` in 96 slices.

    Messages are counted one by one; a median is that of a sample, evenly
    spread, once there are more than SAMPLE of them.
    """
    end = now()
    slice_ = timedelta(hours=hours) / BUCKETS
    starts = [end - (BUCKETS - n) * slice_ for n in range(BUCKETS)]
    # Each a look into the index; to group by a computed slice reads every row.
    counts = [
        Message.objects.filter(created_at__gte=start, created_at__lt=start + slice_).count()
        for start in starts
    ]
    return Series(
        starts=[round(start.timestamp()) for start in starts],
        n_messages=counts,
        median_ms=_medians(starts[0], slice_, sum(counts)),
    )


def _medians(begin: datetime, slice_: timedelta, n_messages: int) -> list[float | None]:
    """The median reply time of the models in each slice from `begin` on, in ms."""
    # Odd, since questions and answers alternate: every 2nd row may be no answer at all.
    every = (n_messages // SAMPLE) | 1 if n_messages > SAMPLE else 1
    answers = Message.objects.filter(created_at__gte=begin, total_ms__isnull=False)
    sample = answers.alias(turn=F("pk") % every).filter(turn=0)
    times: list[list[int]] = [[] for _ in range(BUCKETS)]
    for created_at, total_ms, correction in sample.values_list(
        "created_at", "total_ms", "correction"
    ):
        if correction or total_ms is None:
            continue
        bucket = min((created_at - begin) // slice_, BUCKETS - 1)
        times[bucket].append(total_ms)
    return [statistics.median(found) if found else None for found in times]


def latest_questions(limit: int = 6) -> list[Message]:
    """What people asked last, for whoever may see it."""
    return list(
        Message.objects.filter(role=Message.Role.USER)
        .select_related("conversation__user", "conversation__discord_user")
        .order_by("-pk")[:limit]
    )
