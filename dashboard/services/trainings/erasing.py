"""What is left in datasets of corrections whose author wants to be forgotten: nothing.

Datasets that trainings made are the only ones that know their corrections.
A model that learned them still does; its lessons say that something in it
was erased.
"""

from collections.abc import Collection
from typing import Final

from django.db import transaction

from dashboard.models import DatasetVersion, Lesson, Training
from dashboard.services import outbox, storing
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
    lessons = Lesson.objects.filter(correction__in=list(correction_ids))
    n_rows = 0
    trainings = Training.objects.select_for_update()
    for training in trainings.filter(pk__in=lessons.values("training")).order_by("pk"):
        own = lessons.filter(training=training)
        for version, link in ((training.version, "position"), (training.pairs, "pair_position")):
            if version is not None:
                positions = own.values_list(link, flat=True)
                n_rows += _take_out(version, positions)
        own.update(position=None, pair_position=None)
        outbox.publish(topic(training), "training.changed", id=training.pk, stage=training.stage)
        outbox.publish(TOPIC, "training.changed", id=training.pk, stage=training.stage)
    return n_rows


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
