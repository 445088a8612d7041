"""What is left in datasets of words whose author wants to be forgotten: nothing.

Datasets that trainings made are the only ones that know their corrections.
A model that learned them still does, and so does the file that its endpoint
was sent; a lesson without its correction says that there was something.
"""

from collections.abc import Collection
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from dashboard.models import DatasetVersion, FineTuneJob, Lesson, Provenance, Task, Training
from dashboard.services import jobs, outbox, storing
from dashboard.services.drafts.freezing import sum_up
from dashboard.services.trainings import freezing
from dashboard.services.trainings.news import TOPIC, topic
from trainerbot.formats import Row
from trainerbot.formats.rows import Kind

ERASED: Final = "[erased]"


@transaction.atomic
def erase(correction_ids: Collection[int]) -> int:
    """Take the rows of these corrections out of every version that a training made; how many.

    The one change that such a frozen version bears, and its hash is then of
    what is left. Call it before the corrections are deleted.
    """
    return _erase(Lesson.objects.filter(correction__in=list(correction_ids)))


@transaction.atomic
def erase_questions(correction_ids: Collection[int]) -> int:
    """As `erase`, where only the question is to be forgotten: whoever had asked it wants to be.

    Rows with the question in a reviewer's own words stay. Call it before the
    messages are deleted.
    """
    return _erase(
        Lesson.objects.filter(correction__in=list(correction_ids)),
        only=(Provenance.Source.DISCORD_MESSAGE,),
    )


def _erase(lessons: QuerySet[Lesson], *, only: Collection[str] = ()) -> int:
    """Take out the rows of these lessons. only: those alone whose words came from there."""
    n_rows = 0
    trainings = Training.objects.select_for_update()
    for training in trainings.filter(pk__in=lessons.values("training")).order_by("pk"):
        own = lessons.filter(training=training)
        gone: set[int] = set()
        sent: set[int] = set()
        for version, link in ((training.version, "position"), (training.pairs, "pair_position")):
            if version is None:
                continue
            rows = version.examples.filter(position__in=own.values(link))
            if only:
                rows = rows.filter(provenance__source__in=only)
            positions = list(rows.values_list("position", flat=True))
            had = own.filter(**{f"{link}__in": positions})
            ids = set(had.values_list("pk", flat=True))
            gone |= ids
            if ids and _was_sent(version):
                sent |= set(had.filter(use=Lesson.Use.LEARNED).values_list("pk", flat=True))
            n_rows += _take_out(version, positions)
            Lesson.objects.filter(pk__in=ids).update(**{link: None})
        if not gone:
            continue
        Lesson.objects.filter(pk__in=sent).update(correction=None)
        # What no endpoint was sent, no model holds.
        Lesson.objects.filter(
            pk__in=gone - sent, position__isnull=True, pair_position__isnull=True
        ).delete()
        outbox.publish(topic(training), "training.changed", id=training.pk, stage=training.stage)
        outbox.publish(TOPIC, "training.changed", id=training.pk, stage=training.stage)
    return n_rows


def _was_sent(version: DatasetVersion) -> bool:
    """Whether an endpoint may have been sent these rows."""
    for job in FineTuneJob.objects.filter(version=version):
        # Locked, so that no worker begins to read the rows until they are gone.
        task = Task.objects.select_for_update().filter(idempotency_key=jobs.key(job)).first()
        waits = task is not None and task.state == Task.State.READY and not task.step
        if job.remote_file_id or not waits:
            return True
    return False


def _take_out(version: DatasetVersion, positions: Collection[int | None]) -> int:
    n_deleted = freezing.delete_positions(version, positions)
    if version.is_draft or not n_deleted:
        return n_deleted
    if not version.examples.exists():
        # A frozen version holds something; this tells what it held.
        kind = Kind(version.kind)
        said = [{"role": "assistant", "content": ERASED}]
        asked = [{"role": "user", "content": ERASED}]
        record = (
            {"messages": asked + said}
            if kind is Kind.CHAT
            else {
                "input": {"messages": asked},
                "preferred_output": said,
                "non_preferred_output": said,
            }
        )
        row = storing.prepare(Row(1, record, kind))
        storing.insert(
            version, [row], first_position=0, provenance=freezing.own_provenance("erased")
        )
    sums = sum_up(version)
    DatasetVersion.everything.filter(pk=version.pk).update(
        n_examples=sums.n_examples, n_bytes=sums.n_bytes, sha256=sums.sha256
    )
    return n_deleted
