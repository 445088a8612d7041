"""The task `export`: writes the file, shows its progress, starts anew after a kill."""

from pathlib import Path
from typing import Any

from django.db import transaction

from dashboard.models import DatasetExport
from dashboard.services import datasets, outbox, storage, tasks
from dashboard.services.exports import formats, places
from dashboard.services.exports.writing import Tick, write_archive, write_file
from dashboard.services.tasks import Run
from trainerbot.formats.writing import Written

EXPORT = "export"
SAVE_EVERY_S = 0.5


@tasks.handler(EXPORT)
def run_export(run: Run) -> dict[str, Any]:
    """Write what an export asks for. Nobody sees the file before all of it is there."""
    exported = (
        DatasetExport.objects.select_related("version__dataset", "version__parent")
        .filter(key=run.args["export"])
        .first()
    )
    if exported is None or exported.is_ready:
        return {"export": run.args["export"]}
    try:
        with storage.failures_in_words():
            run.save(step="writing")
            folder = places.fresh_folder(exported)
            name, content_type, written = _write(exported, folder, _ticker(run, exported))
    except tasks.LeaseLost:
        raise
    except BaseException:
        places.delete(exported)
        announce(exported)
        raise
    with transaction.atomic():
        run.save(progress=1.0)
        exported.filename, exported.content_type = name, content_type
        exported.n_examples, exported.n_bytes = written.n_examples, written.n_bytes
        exported.n_left_out, exported.left_out = written.n_left_out, dict(written.left_out)
        exported.sha256 = written.sha256
        exported.save()
        announce(exported)
    return {
        "export": str(exported.key),
        "n_examples": written.n_examples,
        "n_bytes": written.n_bytes,
    }


def announce(exported: DatasetExport) -> None:
    """Tell open pages of the dataset."""
    topic = datasets.topic(exported.version)
    outbox.publish(topic, "export.changed", key=str(exported.key), is_ready=exported.is_ready)


def _write(exported: DatasetExport, folder: Path, tick: Tick) -> tuple[str, str, Written]:
    version, part = exported.version, exported.part
    if exported.is_archive:
        name = formats.filename(version, formats.ARCHIVE.ending, part=part)
        made = write_archive(
            version, folder / name, formats_wanted=exported.formats, part=part, tick=tick
        )
        return name, formats.ARCHIVE.content_type, made
    wanted = exported.formats[0]
    name = formats.filename(version, formats.FORMATS[wanted].ending, part=part)
    made = write_file(version, folder / name, format=wanted, part=part, tick=tick)
    return name, formats.content_type(wanted), made


def _ticker(run: Run, exported: DatasetExport) -> Tick:
    """Save the progress now and then, which keeps the lease and hears of a cancellation."""
    total = max(exported.version.n_examples * len(exported.formats), 1)
    pace = tasks.Pace(SAVE_EVERY_S)

    def tick(n_rows: int) -> None:
        if pace.is_due():
            with transaction.atomic():
                run.save(progress=n_rows / total)
                announce(exported)

    return tick
