"""The rows of a version into one file, or into an archive with a manifest."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.db.models import Count
from django.utils.timezone import now

from dashboard.models import DatasetVersion, Provenance
from dashboard.services import datasets
from dashboard.services.exports import formats
from dashboard.services.provenance import NEEDS_PERMISSION, Share, by_source
from trainerbot.formats.marks import marked
from trainerbot.formats.rows import Kind
from trainerbot.formats.writing import ROWS, Manifest, Written, archive, write, write_origins

Tick = Callable[[int], None]
"""Told how many rows were read so far; may raise to stop."""

TICK_EVERY = 500


def nothing(n_rows: int) -> None:
    """What is called where nobody watches."""


def write_file(
    version: DatasetVersion, path: Path, *, format: str, part: str = "", tick: Tick = nothing
) -> Written:
    """Write the rows of a version, or of one part of its split, in one format.

    The file is whole or not there. Raises InvalidInput for a format that
    cannot hold them and where there is no row, StorageFull, OSError.
    """
    formats.refuse(version, [format], part=part)
    kind = Kind(version.kind)
    return write(
        _watched(_marked(version, part=part), tick),
        path,
        format=format,
        kind=kind,
        labels=datasets.label_names(version) if kind == Kind.LABELLED else (),
    )


def write_archive(
    version: DatasetVersion,
    path: Path,
    *,
    formats_wanted: Sequence[str],
    part: str = "",
    tick: Tick = nothing,
) -> Written:
    """Write a zip of a file for each format, and a manifest: hashes, sources, licences, descent.

    Raises as `write_file` does. `left_out` is the sum of all its files.
    """
    formats.refuse(version, list(formats_wanted), part=part)
    # The truest one first: it is what an import of the archive reads.
    names = [name for name, _ in formats.formats_for(version) if name in formats_wanted]
    left_out: dict[str, int] = {}
    n_before = 0

    def tick_all(n_rows: int) -> None:
        tick(n_before + n_rows)

    with TemporaryDirectory(dir=path.parent, prefix=".archive-") as folder:
        files = {}
        for name in names:
            file = Path(folder) / formats.inside(name)
            written = write_file(version, file, format=name, part=part, tick=tick_all)
            n_before += version.n_examples
            for reason, n_rows in written.left_out.items():
                left_out[reason] = left_out.get(reason, 0) + n_rows
            files[file.name] = file
        manifest = manifest_of(version, part=part, main=next(iter(files)))
        # What holds fewer rows than the table cannot be told apart by it.
        if _needs_table(manifest) and not left_out:
            file = Path(folder) / ROWS
            write_origins(file, _origins(version, part=part))
            files[ROWS] = file
        made = archive(path, files=files, manifest=manifest)
    return Written(
        n_examples=made.n_examples,
        n_bytes=made.n_bytes,
        sha256=made.sha256,
        n_left_out=sum(left_out.values()),
        left_out=left_out,
    )


def manifest_of(version: DatasetVersion, *, part: str = "", main: str = "") -> Manifest:
    """What an archive says of itself: the same for the same frozen version.

    main: the file in it that holds every row as it is.
    """
    found = _shares(version, part=part)
    licences = sorted({each.provenance.licence for each in found if each.provenance.licence})
    parent = version.parent
    return Manifest(
        name=version.dataset.name,
        version=version.number,
        kind=Kind(version.kind),
        counts=by_source(found),
        licence="; ".join(licences),
        created=version.frozen_at or now(),
        main=main,
        provenance={
            "is_draft": version.is_draft,
            "sha256": version.sha256,
            "n_examples": sum(each.n_rows for each in found),
            "part": part,
            "parent": {"version": parent.number, "sha256": parent.sha256} if parent else None,
            "note": version.note,
            "split": version.split,
            "sources": [each.told for each in found],
        },
    )


def _needs_table(manifest: Manifest) -> bool:
    """Whether the manifest alone cannot say where each row belongs."""
    return bool(manifest.provenance["split"]) or len(manifest.provenance["sources"]) > 1


def _shares(version: DatasetVersion, *, part: str) -> list[Share]:
    """How many rows each provenance has, in the order of the manifest."""
    rows = version.examples.kept(part=part).order_by()
    counted = dict(rows.values_list("provenance").annotate(n_rows=Count("*")))
    found = Provenance.objects.filter(pk__in=counted).order_by("pk")
    return [Share(each, counted[each.pk]) for each in found]


def _origins(version: DatasetVersion, *, part: str) -> Iterator[tuple[str, int]]:
    """(part, number of its source in the manifest) of every row, in their order."""
    found = _shares(version, part=part)
    numbers = {each.provenance.pk: number for number, each in enumerate(found)}
    rows = version.examples.kept(part=part).order_by("position")
    for which, provenance in rows.values_list("part", "provenance").iterator(chunk_size=5_000):
        yield which, numbers[provenance]


def _marked(version: DatasetVersion, *, part: str) -> Iterator[dict[str, Any]]:
    """The records of a version, those that need a permission with their mark."""
    found = _shares(version, part=part)
    if not any(each.provenance.source in NEEDS_PERMISSION for each in found):
        yield from datasets.records(version, part=part)
        return
    rows = version.examples.kept(part=part).order_by("position")
    sources = {each.provenance.pk: each.provenance.source for each in found}
    for record, key in rows.values_list("record", "provenance").iterator(chunk_size=500):
        yield marked(record, sources.get(key, ""))


def _watched(records: Iterator[dict[str, Any]], tick: Tick) -> Iterator[dict[str, Any]]:
    for n_rows, record in enumerate(records, start=1):
        if n_rows % TICK_EVERY == 0:
            tick(n_rows)
        yield record
