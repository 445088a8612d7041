"""`manage.py classify DATASET --model M`: ask a model for the label of every text, and count."""

import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from dashboard.management.service_command import VersionCommand
from dashboard.models import Evaluation, Task
from dashboard.services import datasets, embedded, evaluations, processes, tasks
from dashboard.services.evaluations import Trial
from dashboard.services.evaluations.trials import MAX_BYTES
from trainerbot.curation import PARTS
from trainerbot.errors import InvalidInput

LOOK_S = 0.5
SHOWN = 20
GIVEN = 1000


class Command(VersionCommand):
    needs_name = False  # records may be given instead
    _told = ""  # what was last said on stderr
    help = (
        "Test a model on a labelled dataset, or on records given as JSON: its answers, the "
        "mismatches by name, accuracy, precision, recall, F1 and a confusion matrix. "
        "Without a running system this command does the work itself, so it waits for the end."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--part", default="", choices=["", *PARTS], help="Of its split")
        parser.add_argument("--limit", type=int, help="So many rows, spread evenly")
        parser.add_argument("--wait", action="store_true", help="Until it is over")
        parser.add_argument(
            "--json-records", default="", help='{"text": ..., "label"?, "name"?}, or an array'
        )
        parser.add_argument("--file", type=Path, help="A file of such records; - for stdin")
        parser.add_argument("--model", default="", help="Default: the one that chats")
        parser.add_argument("--label", action="append", default=[], help="One to choose from")
        parser.add_argument("--instruction", default="", help="Default: as in training")

    def run(self, *, name: str, json_records: str, file: Path | None, **options: Any) -> None:
        given = [each for each in (name, json_records, file) if each]
        if len(given) != 1:
            raise InvalidInput(
                "Give one dataset, or records: classify DATASET, classify --file F.json, or "
                'classify --json-records \'{"text": "..."}\''
            )
        if name:
            self._test(name, **options)
        else:
            self._try(_read(file) if file else json_records, **options)

    def _test(
        self,
        name: str,
        *,
        number: int | None,
        part: str,
        limit: int | None,
        wait: bool,
        model: str,
        label: list[str],
        instruction: str,
        as_json: bool,
        **options: Any,
    ) -> None:
        version = datasets.version_of(datasets.named(name), number)
        with embedded.running():
            evaluation = evaluations.submit(
                version=version,
                model=model,
                part=part,
                limit=limit,
                labels=label,
                instruction=instruction,
            )
            if wait:
                self._watch(evaluation)
            if wait or not processes.is_alive("worker"):
                tasks.run_until_finished(evaluation.task, each_try=self._tell)
        evaluation = evaluations.get(evaluation.pk)
        if as_json:
            self.give(as_row(evaluation))
        if evaluation.status in (Task.State.FAILED, Task.State.CANCELLED):
            reason = evaluation.error or evaluation.task.error
            raise CommandError(f"Test {evaluation.pk} {evaluation.status}. {reason}".strip())
        if not as_json:
            self._show(evaluation)

    def _watch(self, evaluation: Evaluation) -> None:
        """Look on while a worker does the work; return when it is done, or the worker gone."""
        while not evaluation.task.is_finished and processes.is_alive("worker"):
            time.sleep(LOOK_S)
            evaluation.task.refresh_from_db()
            self._tell(evaluation.task)

    def _tell(self, task: Task) -> None:
        """Say on stderr what a test waits for, once."""
        waits_for = Evaluation.objects.get(task=task).error
        if waits_for and waits_for != self._told:
            self.stderr.write(waits_for)
        self._told = waits_for

    def _show(self, evaluation: Evaluation) -> None:
        if not evaluation.is_finished:
            self.say(f"Test {evaluation.pk}: {evaluation.status}. Follow it on the dashboard.")
            return
        for prediction in evaluations.predictions(evaluation, size=SHOWN).rows:
            self.say(
                f"{prediction.name}: {prediction.expected}, taken for "
                f"{prediction.predicted or 'unknown'}"
            )
        if (n_wrong := evaluation.n_done - evaluation.n_right) > SHOWN:
            self.say(f"... and {n_wrong - SHOWN:,} more mismatches")
        self._show_scores(evaluation.scores)
        self.say(f"Test {evaluation.pk}: {evaluation.model} on {evaluation.version}")

    def _try(
        self,
        text: str,
        *,
        model: str,
        label: list[str],
        instruction: str,
        as_json: bool,
        **options: Any,
    ) -> None:
        records = evaluations.read_records(text)
        with embedded.running():
            trial = evaluations.classify(
                records, model=model, labels=label, instruction=instruction
            )
        if as_json:
            self.give(_trial_row(trial))
            return
        for tried in trial.records:
            said = tried.predicted or "unknown"
            wrong = f", but it is {tried.expected}" if tried.is_right is False else ""
            self.say(f"{tried.name}: {said}{wrong}")
        self._show_scores(trial.scores)

    def _show_scores(self, scores: dict[str, Any] | None) -> None:
        if scores is None:
            return
        low, high = scores["interval"]
        self.say(
            f"Accuracy {scores['accuracy']:.1%} of {scores['n']:,} "
            f"(95 % interval {low:.1%} to {high:.1%}), macro F1 {scores['macro_f1']:.1%}"
        )
        names = [each["label"] for each in scores["labels"]]
        width = max(map(len, [*names, "unknown"]))
        self.say(f"{'':{width}}  precision  recall      F1   taken for {', '.join(names)}, unknown")
        for each, counts in zip(scores["labels"], scores["confusion"], strict=True):
            figures = "  ".join(f"{each[key]:7.1%}" for key in ("precision", "recall", "f1"))
            self.say(f"{each['label']:{width}}  {figures}   {'  '.join(map(str, counts))}")


def as_row(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "id": evaluation.pk,
        "status": evaluation.status,
        "dataset": evaluation.version.dataset.name,
        "version": evaluation.version.number,
        "part": evaluation.part or None,
        "model": evaluation.model,
        "labels": evaluation.labels,
        "n_records": evaluation.n_records,
        "n_done": evaluation.n_done,
        "n_right": evaluation.n_right,
        "n_unknown": evaluation.n_unknown,
        "n_cut": evaluation.n_cut,
        "n_refused": evaluation.n_refused,
        "is_constrained": evaluation.is_constrained,
        "scores": evaluation.scores,
        # At most so many: the rest is on the dashboard.
        "mismatches": [
            {
                "name": each.name,
                "line": each.example.line,
                "text": each.text,
                "expected": each.expected,
                "predicted": each.predicted or None,
                "answer": each.answer,
            }
            for each in evaluations.predictions(evaluation, size=GIVEN).rows
        ],
        "error": evaluation.error or evaluation.task.error or None,
    }


def _trial_row(trial: Trial) -> dict[str, Any]:
    return {
        "model": trial.model,
        "labels": trial.labels,
        "is_constrained": trial.is_constrained,
        "scores": trial.scores,
        "records": [
            {
                "name": each.name,
                "text": each.text,
                "expected": each.expected,
                "predicted": each.predicted,
                "right": each.is_right,
                "answer": each.answer,
                "ms": each.ms,
                "error": each.error or None,
            }
            for each in trial.records
        ],
    }


def _read(path: Path) -> str:
    try:
        if str(path) == "-":
            return sys.stdin.read(MAX_BYTES + 1)
        with path.open(encoding="utf-8-sig") as file:
            return file.read(MAX_BYTES + 1)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path.name} is not text in UTF-8. Save it as UTF-8.") from error
