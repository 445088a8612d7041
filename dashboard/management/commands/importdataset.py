"""`manage.py importdataset PATH --name N`: a file becomes a version of a dataset."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from dashboard.management import reading
from dashboard.management.problems import as_row, report_problems
from dashboard.management.progress import ProgressLine
from dashboard.management.service_command import ServiceCommand
from dashboard.models import Provenance
from dashboard.services import imports


class Command(ServiceCommand):
    help = (
        "Import a file, a zip or a folder of texts as the next version of a dataset. "
        "All rows or none; the problems are told by line."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", type=Path, help="The file or folder")
        parser.add_argument("--name", required=True, help="The dataset, made if it is new")
        parser.add_argument(
            "--format", default="", dest="file_format", help="What it is, if it looks like another"
        )
        reading.add_arguments(parser)
        parser.add_argument("--target", default="", help="Whose rules it is held to, as openai")
        parser.add_argument(
            "--source",
            choices=Provenance.Source.values,
            default=Provenance.Source.COMMAND,
            help="Where the words come from",
        )
        parser.add_argument("--licence", default="", help="Of the words, such as MIT")
        parser.add_argument(
            "--skip-faulty", action="store_true", help="Leave faulty rows out, import the others"
        )
        parser.add_argument(
            "--draft", action="store_true", help="Do not freeze it: look at it and edit it first"
        )

        parser.add_argument(
            "--survey",
            action="store_true",
            help="First tell what it would cost, what is duplicated, what is private",
        )

    def run(self, *, path: Path, name: str, as_json: bool, **options: Any) -> None:
        found: dict[str, Any] = {}
        try:
            with ProgressLine(self.stderr, quiet=as_json) as line:
                version = imports.import_file(
                    path,
                    name=name,
                    file_format=options["file_format"],
                    options=reading.said(options),
                    target=options["target"],
                    source=options["source"],
                    licence=options["licence"],
                    skip_faulty=options["skip_faulty"],
                    freeze=not options["draft"],
                    progress=line.show,
                    surveyed=found.update if options["survey"] else None,
                )
        except imports.DatasetRefused as error:
            if as_json:
                problems = [as_row(problem) for problem in error.report.problems]
                self.give({"error": str(error), "problems": problems})
            else:
                report_problems(self.stderr, error.report.problems)
                if advice := reading.advice(path, error.report.first_error):
                    self.stderr.write(advice)
            raise CommandError(str(error)) from error
        if as_json:
            self.give(
                {
                    "id": version.dataset_id,
                    "dataset": version.dataset.name,
                    "version": version.number,
                    "kind": version.kind,
                    "format": version.file_format,
                    "draft": version.is_draft,
                    "examples": version.n_examples,
                    "warnings": version.n_warnings,
                    "sha256": version.sha256,
                    **({"survey": found} if found else {}),
                }
            )
            return
        for sentence in imports.survey_as_text(found) if found else ():
            self.say(sentence)
        warnings = f", {version.n_warnings:,} warnings" if version.n_warnings else ""
        self.say(f"{version}: {version.n_examples:,} examples{warnings} ({version.file_format}).")
        self.say(f"Next: python3 run.py manage finetune {name!r} --wait")
