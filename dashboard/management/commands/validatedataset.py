"""`manage.py validatedataset PATH`: what is wrong with a file, stored nowhere."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from dashboard.management import reading, token_counts
from dashboard.management.problems import as_row, report_problems
from dashboard.management.service_command import ServiceCommand
from dashboard.services import imports
from trainerbot.formats import FORMATS, Options, Report, detect
from trainerbot.formats.targets import TARGETS


class Command(ServiceCommand):
    help = "Check a data file, line by line. Exit code 1 if it cannot be trained on."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", type=Path, help="The file, folder or ZIP archive")
        parser.add_argument(
            "--format",
            dest="file_format",
            choices=list(FORMATS),
            help="What it is; else it is told",
        )
        reading.add_arguments(parser)
        parser.add_argument(
            "--target", choices=list(TARGETS), default="any", help="Whose rules and limits count"
        )
        parser.add_argument(
            "--survey",
            action="store_true",
            help="Also tell what it would cost, what is duplicated, what is private",
        )
        parser.add_argument(
            "--tokens", action="store_true", dest="with_tokens", help="Count every example's tokens"
        )

    def run(
        self,
        *,
        path: Path,
        file_format: str | None,
        target: str,
        with_tokens: bool,
        survey: bool,
        as_json: bool,
        **options: Any,
    ) -> None:
        imports.readable(path)
        said, wanted = "", reading.said(options)
        if file_format is None:
            found = detect(path)
            if found.format is None:
                reason = found.problem.message if found.problem else found.said
                raise CommandError(f"{path.name} cannot be used. {reason}")
            file_format, said = found.format, found.said
            wanted["mapping"] = wanted["mapping"] or dict(found.mapping)
            if not as_json:
                self.say(f"{path.name}: {said}")
        report = imports.check(
            path,
            file_format=file_format,
            options=Options(**wanted),
            target=target,
            with_tokens=with_tokens,
        )
        surveyed = None
        if survey and report.n_examples:
            surveyed = imports.look(
                path,
                file_format=file_format,
                options=Options(**wanted),
                n_rows=report.n_examples,
                target=target,
            )
        if as_json:
            told = {"format": file_format, "said": said, "target": target}
            self.give(_as_row(report) | told | ({"survey": surveyed} if survey else {}))
        imports.refuse_job_ids(path.name, file_format=file_format)
        if not as_json:
            report_problems(self.stderr, report.problems)
            if report.tokens is not None:
                is_free = target == "modelserver"
                self.say(token_counts.as_text(report.tokens, is_free=is_free))
            for sentence in imports.survey_as_text(surveyed) if surveyed else ():
                self.say(sentence)
        if not report.ok:
            first = report.first_error
            reason = first.message if first else "It has no examples."
            if not as_json and (advice := reading.advice(path, first)):
                self.stderr.write(advice)
            raise CommandError(
                f"{path.name} cannot be used: {report.n_errors:,} errors, "
                f"{report.n_warnings:,} warnings. {reason}"
            )
        if not as_json:
            place = "" if target == "any" else f" at {TARGETS[target].title}"
            self.say(
                f"{path.name}: {report.n_examples:,} examples, fit for training{place}; "
                f"{report.n_warnings:,} warnings."
            )


def _as_row(report: Report) -> dict[str, Any]:
    return {
        "ok": report.ok,
        "examples": report.n_examples,
        "bytes": report.n_bytes,
        "n_problems": report.n_problems,
        "n_errors": report.n_errors,
        "n_warnings": report.n_warnings,
        "problems": [as_row(problem) for problem in report.problems],
        "errors": [as_row(each) for each in report.problems if each.severity == "error"],
        "warnings": [as_row(each) for each in report.problems if each.severity == "warning"],
        "tokens": None if report.tokens is None else token_counts.as_row(report.tokens),
    }
