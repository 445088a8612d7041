"""What was picked becomes frozen versions: examples, and pairs with the bot's own wrong answer.

Rows are stored a batch a transaction, each as the correction is at that
moment; what was changed or erased since it was picked stays out.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Q
from django.utils.timezone import now

from dashboard.models import (
    Correction,
    Dataset,
    DatasetVersion,
    Example,
    Lesson,
    Provenance,
    Source,
    Training,
)
from dashboard.services import audit, datasets, examination, outbox, storing, taught
from dashboard.services.drafts.discarding import delete_rows
from dashboard.services.drafts.freezing import sum_up
from dashboard.services.drafts.state import next_number
from dashboard.services.tasks import Run
from dashboard.services.trainings import offers, permissions, picking
from trainerbot.errors import InvalidInput
from trainerbot.formats import Row
from trainerbot.formats.rows import Kind

BATCH: Final = 500
NAME: Final = "What people taught"
FORMATS: Final = {Kind.CHAT: "chat-jsonl", Kind.PREFERENCE: "dpo-jsonl"}


def write(run: Run, training: Training) -> None:
    """Store and freeze what the lessons of `training` come to; called again, it goes on."""
    wants_pairs = training.way.endswith("dpo")
    if training.way != "dpo":
        version = training.version or _begin(training, Kind.CHAT)
        _fill(run, training, version, Kind.CHAT)
        _mix_in(run, training, version)
    if wants_pairs:
        pairs = training.pairs or _begin(training, Kind.PREFERENCE)
        _fill(run, training, pairs, Kind.PREFERENCE)


def finish(training: Training) -> None:
    """Freeze what was stored, without what was changed or erased meanwhile. In one transaction.

    Raises InvalidInput when nothing is left to learn.
    """
    # Whoever erases takes the same lock, so that each finds what the other has done.
    training.refresh_from_db(from_queryset=Training.objects.select_for_update())
    lessons = Lesson.objects.filter(training=training)
    stale = lessons.filter(_stale())
    for version, link in ((training.version, "position"), (training.pairs, "pair_position")):
        if version is not None and version.is_draft:
            delete_positions(version, stale.values_list(link, flat=True))
    stale.delete()
    for version in (training.version, training.pairs):
        if version is not None and version.is_draft:
            _freeze(training, version)


def delete_positions(version: DatasetVersion, positions: Iterable[int | None]) -> int:
    """Delete the rows of these positions and their words in the index; how many."""
    wanted = [position for position in positions if position is not None]
    n_deleted = 0
    for start in range(0, len(wanted), BATCH):
        rows = version.examples.filter(position__in=wanted[start : start + BATCH])
        n_deleted += rows.count()
        delete_rows(rows, Kind(version.kind))
    return n_deleted


def drop(training: Training) -> None:
    """Delete what was stored and never frozen; nobody has seen it."""
    for name in ("version", "pairs"):
        version: DatasetVersion | None = getattr(training, name)
        if version is None or not version.is_draft:
            continue
        delete_rows(Example.objects.filter(version=version), Kind(version.kind))
        with transaction.atomic():
            setattr(training, name, None)
            training.save(update_fields=[name])
            DatasetVersion.everything.filter(pk=version.pk, is_whole=False).delete()
            Dataset.objects.filter(
                pk=version.dataset_id, archived_at__isnull=False, versions=None
            ).delete()


def name_of(training: Training, kind: Kind) -> str:
    """The dataset that holds what is learned there."""
    where = {picking.EVERYWHERE: "", picking.ALL: " on all servers"}.get(training.scope)
    if where is None:
        # Its number, so that two guilds of one name have two datasets.
        where = f" on {str(training.guild)[:60]} ({training.scope.partition('-')[2]})"
    return f"{NAME}{where}{', in pairs' if kind is Kind.PREFERENCE else ''}"


@transaction.atomic
def _begin(training: Training, kind: Kind) -> DatasetVersion:
    dataset, _ = Dataset.objects.select_for_update().get_or_create(
        name=name_of(training, kind),
        # Out of the lists until its first version is whole.
        defaults={
            "description": "Made of approved corrections by Train on what people taught us.",
            "created_by": training.created_by,
            "archived_at": now(),
        },
    )
    version: DatasetVersion = DatasetVersion.everything.create(
        dataset=dataset,
        number=next_number(dataset),
        kind=kind.value,
        n_examples=0,
        n_bytes=0,
        file_format=FORMATS[kind],
        note=f"For training {training.pk}.",
        created_by=training.created_by,
        is_whole=False,
    )
    name = "version" if kind is Kind.CHAT else "pairs"
    setattr(training, name, version)
    training.save(update_fields=[name])
    return version


def _fill(run: Run, training: Training, version: DatasetVersion, kind: Kind) -> None:
    """Store the rows of all lessons that have none yet."""
    if not version.is_draft:
        return
    link = "position" if kind is Kind.CHAT else "pair_position"
    lessons = Lesson.objects.filter(training=training).order_by("pk")
    n_all = max(lessons.count(), 1)
    after = 0
    while True:
        with transaction.atomic():
            # First, so that a worker that lost its lease stores nothing.
            run.save()
            waiting = list(lessons.filter(pk__gt=after, **{link: None})[:BATCH])
            if not waiting:
                return
            _store(training, version, kind, link, waiting)
            after = waiting[-1].pk
        n_done = lessons.exclude(**{link: None}).count()
        run.save(step="writing the dataset", progress=n_done / n_all)


def _store(
    training: Training, version: DatasetVersion, kind: Kind, link: str, lessons: Sequence[Lesson]
) -> None:
    """Store a batch of lessons as rows of `version`, and let each lesson name its row."""
    # Locked, so that nobody erases one between the reading and the writing of its words.
    found = Correction.objects.select_for_update(of=("self",)).select_related("message")
    found = found.exclude(picking.asker_erased())
    corrections = found.in_bulk([each.correction_id for each in lessons if each.correction_id])
    rows: list[storing.Prepared] = []
    origins: list[tuple[int, str]] = []
    taken: list[Lesson] = []
    first = version.examples.last_position() + 1
    for lesson in lessons:
        correction = corrections.get(lesson.correction_id or 0)
        if correction is None or not _is_as_picked(correction, lesson):
            continue  # `finish` deletes such lessons
        if kind is Kind.PREFERENCE and (
            lesson.use != Lesson.Use.LEARNED
            or not picking.is_pair(correction.better_answer, correction.rejected_answer)
        ):
            continue
        record = taught.record(correction, kind)
        rows.append(storing.prepare(Row(first + len(rows) + 1, record, kind)))
        part = "test" if lesson.use == Lesson.Use.HELD_OUT else "train"
        origins.append((_provenance(training, correction), part if training.hold_out else ""))
        taken.append(lesson)
    storing.insert_from(version, rows, origins, first_position=first)
    for index, lesson in enumerate(taken):
        setattr(lesson, link, first + index)
    Lesson.objects.bulk_update(taken, [link], batch_size=BATCH)


def _provenance(training: Training, correction: Correction) -> int:
    """The key of the row that says where the words of one example came from."""
    is_discord = (
        not correction.own_question
        and correction.message is not None
        and correction.message.source == Source.DISCORD
    )
    reference = f"training {training.pk}"
    if not is_discord:
        return own_provenance(reference).pk
    given: dict[str, Any] = {
        "source": Provenance.Source.DISCORD_MESSAGE,
        "reference": reference,
    }
    # Without a permission the row is stored as what it is, and the job is refused.
    permission = permissions.current()
    if permission is not None:
        given |= {
            "permission": permission.permission,
            "permitted_by": permission.permitted_by,
            "permitted_at": permission.permitted_at,
        }
    return Provenance.objects.get_or_create(**given)[0].pk


def own_provenance(reference: str) -> Provenance:
    """Of words that people gave to be learned."""
    row, _ = Provenance.objects.get_or_create(
        source=Provenance.Source.CORRECTION, reference=reference
    )
    return row


def _mix_in(run: Run, training: Training, version: DatasetVersion) -> None:
    """Store general examples beside, as many as were taught, spread over their dataset."""
    source = training.mixed_in
    if source is None or not version.is_draft or run.checkpoint.get("is_mixed"):
        return
    part = "train" if source.split else ""
    rows = source.examples.kept(part=part).order_by("position")
    wanted = offers.n_mixed(source, version.examples.count())
    step = max(rows.count() // max(wanted, 1), 1)
    positions = list(rows.values_list("position", flat=True))[::step][:wanted]
    with transaction.atomic():
        run.save(step="mixing in", is_mixed=True)
        first = version.examples.last_position() + 1
        chosen = list(
            source.examples.filter(position__in=positions)
            .order_by("position")
            .values_list("record", "provenance")
        )
        prepared = [
            storing.prepare(Row(first + index + 1, record, Kind.CHAT))
            for index, (record, _) in enumerate(chosen)
        ]
        own_part = "train" if training.hold_out else ""
        storing.insert_from(
            version,
            prepared,
            [(provenance, own_part) for _, provenance in chosen],
            first_position=first,
        )


def _freeze(training: Training, version: DatasetVersion) -> None:
    sums = sum_up(version)
    n_learned = version.examples.exclude(part="test").count()
    if not n_learned:
        raise InvalidInput(
            "Nothing is left to learn: what was picked was changed or erased meanwhile."
        )
    has_test = version.examples.filter(part="test").exists()
    held_out = training.hold_out / 100
    split = {"seed": 0, "shares": {"train": round(1 - held_out, 2), "test": held_out}}
    DatasetVersion.everything.filter(pk=version.pk).update(
        is_whole=True,
        n_examples=sums.n_examples,
        n_bytes=sums.n_bytes,
        sha256=sums.sha256,
        split=split if has_test or training.hold_out else {},
        frozen_at=now(),
        frozen_by=training.created_by,
    )
    version.refresh_from_db()
    Dataset.objects.filter(pk=version.dataset_id).update(archived_at=None)
    examination.request(version, soon=True)
    audit.record(
        training.created_by,
        "dataset.freeze",
        str(version),
        n_examples=sums.n_examples,
        sha256=sums.sha256,
    )
    outbox.publish(datasets.TOPIC, "dataset.changed", id=version.dataset_id)


def _is_as_picked(correction: Correction, lesson: Lesson) -> bool:
    is_in_force = correction.state == Correction.State.APPROVED
    return is_in_force and correction.revision == lesson.revision


def _stale() -> Q:
    """Lessons whose correction is gone, out of force, says something else by now, or is nobody's."""
    changed = ~Q(correction__state=Correction.State.APPROVED) | ~Q(
        correction__revision=F("revision")
    )
    erased = Correction.objects.filter(picking.asker_erased())
    return Q(correction=None) | changed | Q(correction__in=erased)
