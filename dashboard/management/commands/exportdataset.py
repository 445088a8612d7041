"""`manage.py exportdataset NAME`: a version of a dataset as a file."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from dashboard.management.progress import ProgressLine
from dashboard.management.service_command import VersionCommand
from dashboard.models import DatasetVersion
from dashboard.services import datasets, exports
from dashboard.services.exports import formats
from trainerbot.errors import InvalidInput


class Command(VersionCommand):
    help = (
        "Write a version of a dataset as a file that other programs read, or with --archive as "
        "one zip with a manifest: hashes, sources, licences."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--format",
            action="append",
            default=[],
            dest="wanted",
            help="Such as chat-jsonl, csv, parquet; several with --archive; else what it is",
        )
        parser.add_argument("--part", default="", help="Only train, validation or test")
        parser.add_argument("--to", type=Path, help="The file or folder to write; else this folder")
        parser.add_argument("--archive", action="store_true", help="One zip with a manifest")

    def run(
        self,
        *,
        name: str,
        number: int | None,
        wanted: list[str],
        part: str,
        to: Path | None,
        archive: bool,
        as_json: bool,
        **options: Any,
    ) -> None:
        version = datasets.version_of(datasets.named(name), number)
        chosen = wanted or [exports.formats_for(version)[0][0]]
        if len(chosen) > 1 and not archive:
            raise InvalidInput("Several formats come as one file only with --archive.")
        path = _path(version, chosen[0], to, part=part, archive=archive)
        with ProgressLine(self.stderr, quiet=as_json) as line:

            def tick(n_rows: int) -> None:
                line.show("writing", n_rows / max(version.n_examples * len(chosen), 1))

            if archive:
                written = exports.write_archive(
                    version, path, formats_wanted=chosen, part=part, tick=tick
                )
            else:
                written = exports.write_file(version, path, format=chosen[0], part=part, tick=tick)
        if as_json:
            self.give(
                {
                    "dataset": version.dataset.name,
                    "version": version.number,
                    "path": str(path),
                    "formats": chosen,
                    "examples": written.n_examples,
                    "left_out": dict(written.left_out),
                    "bytes": written.n_bytes,
                    "sha256": written.sha256,
                }
            )
            return
        self.say(f"{path}: {written.n_examples:,} examples, {written.n_bytes:,} bytes.")
        for reason, n_rows in written.left_out.items():
            self.stderr.write(f"Left out: {n_rows:,} examples, {reason}.")


def _path(
    version: DatasetVersion, wanted: str, to: Path | None, *, part: str, archive: bool
) -> Path:
    """The file that was named, or one of a fitting name in the folder."""
    if to is not None and not to.is_dir():
        return to
    formats.refuse(version, [wanted], part=part)
    kind = formats.ARCHIVE if archive else formats.FORMATS[wanted]
    return (to or Path()) / exports.filename(version, kind.ending, part=part)
