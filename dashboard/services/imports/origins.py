"""What an archive of ours says of its rows' origin, which an import must not wash away.

An archive with a list of sources gives each row back its source, author,
licence, reference and part. A permission is never taken from a file: an admin
of this installation records it again, or the rows are not trained on.

A row that bears a mark (`trainerbot.formats.marks`) waits for that permission,
too, whatever is said of the whole file.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from dashboard.models import Provenance
from dashboard.services import storage
from dashboard.services.provenance import NEEDS_PERMISSION
from dashboard.services.tasks import Run
from trainerbot.errors import InvalidInput
from trainerbot.formats.writing import ROWS, Manifest, Origins, read_manifest

MAX_LISTED = 1_000


class Whence:
    """Which provenance and which part the rows of one import get."""

    def __init__(
        self,
        provenances: Sequence[Provenance],
        *,
        origins: Origins | None = None,
        split: dict[str, Any] | None = None,
        marked: dict[str, int] | None = None,
    ) -> None:
        """split: {seed, shares} of rows that were split, which `origins` then tells by row.

        marked: source -> key of the provenance of rows that were marked with it.
        """
        self.provenances = provenances
        self.split = split or {}
        self.marked = marked or {}
        self._origins = origins

    def hear(self, sources: Iterable[str], given: Provenance, run: Run) -> None:
        """Make the provenances that marks of rows ask for, once. Call it in a transaction."""
        for source in sorted(set(sources) - {"", *self.marked}):
            told = {
                "source": source,
                "author": given.author,
                "licence": given.licence,
                "reference": given.reference,
            }
            self.marked[source] = _made(told, licence=given.licence).pk
            run.save(marked=dict(self.marked))

    def of(self, line: int, *, source: str = "") -> tuple[int, str]:
        """(key of the provenance, part) of the row that stands at `line` of its file.

        source: what its mark told, "" without one; heard of before.
        """
        part, number = ("", 0) if self._origins is None else self._origins.of(line)
        found = self.provenances[number]
        if source and found.source not in NEEDS_PERMISSION:
            return self.marked[source], part
        return found.pk, part


@dataclass(frozen=True, slots=True)
class _Told:
    """What a manifest tells, once it was found to agree with itself."""

    sources: list[dict[str, Any]]
    split: dict[str, Any]
    has_table: bool


def source_of(path: Path, source: str) -> str:
    """The source of the rows in a file: `source`, unless its manifest names one to be permitted.

    A permission that somebody recorded elsewhere is no permission here, so
    where it cannot be told which rows are Discord message content, one of
    them makes all of them wait for an admin.
    """
    manifest = _manifest(path)
    if manifest is None or _told(manifest) is not None:
        return source
    for each in NEEDS_PERMISSION:
        if manifest.counts.get(each):
            return each
    return source


def licence_of(path: Path, licence: str, *, source: str) -> str:
    """The licence that a person gave, else the one in the manifest.

    Empty where the manifest tells it source by source: each row gets its own.
    """
    if licence.strip():
        return licence
    manifest = _manifest(path)
    if manifest is None or (source not in NEEDS_PERMISSION and _told(manifest) is not None):
        return ""
    return manifest.licence


def tells(path: Path) -> bool:
    """Whether a file says by itself where each of its rows comes from."""
    manifest = _manifest(path)
    return manifest is not None and _told(manifest) is not None


def whence(path: Path, given: Provenance, run: Run) -> Whence:
    """Make the provenances of an import's rows, once however often the task is begun.

    given: what the person said of the whole file. It stands for all rows
    unless the file tells more, or the person said that they must be permitted.
    """
    manifest = _manifest(path)
    told = _told(manifest) if manifest else None
    if told is None or given.source in NEEDS_PERMISSION:
        return Whence([given], marked=run.checkpoint.get("marked"))
    origins = Origins.read(path, n_sources=len(told.sources)) if told.has_table else None
    if origins is not None:
        claimed = [each["rows"] for each in told.sources]
        if origins.counts(len(claimed)) != claimed:
            raise InvalidInput("The manifest of this archive and its rows differ. Export it again.")
    kept = run.checkpoint.get("provenances")
    with transaction.atomic():
        if kept is None:
            kept = [_made(each, licence=given.licence).pk for each in told.sources]
            run.save(provenances=kept)
    found = Provenance.objects.in_bulk(kept)
    split = told.split if told.has_table else {}
    return Whence(
        [found[pk] for pk in kept],
        origins=origins,
        split=split,
        marked=run.checkpoint.get("marked"),
    )


def _made(told: dict[str, Any], *, licence: str) -> Provenance:
    # Its permission is left out on purpose: it was given to others.
    return Provenance.objects.create(
        source=told["source"],
        author=told["author"],
        licence=told["licence"] or licence,
        reference=told["reference"],
    )


def _told(manifest: Manifest) -> _Told | None:
    """What a manifest tells of each source; None when it is too little or contradicts itself."""
    given = manifest.provenance if isinstance(manifest.provenance, dict) else {}
    listed = given.get("sources")
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_LISTED:
        return None
    sources = [_source(each) for each in listed]
    known = [each for each in sources if each is not None]
    counts: dict[str, int] = {}
    for each in known:
        counts[each["source"]] = counts.get(each["source"], 0) + each["rows"]
    has_table = ROWS in manifest.files
    if len(known) < len(sources) or counts != dict(manifest.counts):
        return None
    if len(known) > 1 and not has_table:
        return None
    return _Told(known, _split(given.get("split")), has_table)


def _source(given: Any) -> dict[str, Any] | None:
    if not isinstance(given, dict) or given.get("source") not in Provenance.Source.values:
        return None
    n_rows = given.get("rows")
    if not isinstance(n_rows, int) or isinstance(n_rows, bool) or n_rows < 1:
        return None
    told: dict[str, Any] = {"source": given["source"], "rows": n_rows}
    for name, longest in (("author", 150), ("licence", 120), ("reference", 255)):
        text = given.get(name, "")
        if not isinstance(text, str) or len(text) > longest or not storage.holds(text):
            return None
        told[name] = text
    return told


def _split(given: Any) -> dict[str, Any]:
    """{seed, shares} as a version keeps it; empty for anything else."""
    shares = given.get("shares") if isinstance(given, dict) else None
    if not isinstance(shares, dict) or not isinstance(given.get("seed"), int):
        return {}
    if not set(shares) <= {"train", "validation", "test"}:
        return {}
    if not all(isinstance(each, int | float) and 0 <= each <= 1 for each in shares.values()):
        return {}
    return {"seed": given["seed"], "shares": shares}


def _manifest(path: Path) -> Manifest | None:
    try:
        return read_manifest(path) if path.is_file() else None
    except InvalidInput:
        return None  # It was read as something else, or its check has refused it.
