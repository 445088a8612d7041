"""`manage.py editdataset NAME ACT`: change many rows of a dataset from a terminal."""

import argparse
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser

from dashboard.management.progress import ProgressLine
from dashboard.management.service_command import ServiceCommand
from dashboard.models import Dataset, DatasetEdit, DatasetVersion, Task
from dashboard.services import datasets, drafts, tasks
from dashboard.services.examples import Filter
from trainerbot.errors import Conflict, InvalidInput, TrainerBotError


class Command(ServiceCommand):
    help = (
        "Edit the draft of a dataset; a frozen version is copied first. Acts: copy, deduplicate, "
        "mask, relabel (with --to), split, remove (with --label, --part, --marked or --search), "
        "undo, redo, discard."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", help="The dataset")
        parser.add_argument("act", choices=[*ACTS, "copy", "discard"], help="What to do")
        parser.add_argument("--exact", action="store_true", help="deduplicate: exact ones only")
        parser.add_argument(
            "--share",
            action="append",
            default=[],
            type=_share,
            dest="shares",
            metavar="PART=SHARE",
            help="split: such as --share train=0.9 --share validation=0.1 (these)",
        )
        parser.add_argument(
            "--seed", type=int, default=0, help="split: the same seed, the same parts"
        )
        parser.add_argument("--to", default="", metavar="LABEL", help="relabel: the new label")
        for name in ("label", "part", "source", "marked", "search"):
            parser.add_argument(
                f"--{name}", default="", help="remove, mask, relabel: only such rows"
            )

    def run(self, *, name: str, act: str, as_json: bool, **options: Any) -> None:
        dataset = datasets.named(name)
        if act == "discard":
            version = datasets.version_of(dataset)
            drafts.discard(version, actor=None)
            self._tell(as_json, f"{version} is gone.", {"discarded": version.number})
            return
        with ProgressLine(self.stderr, quiet=as_json) as line:
            draft, is_fresh = self._draft(dataset, line)
            try:
                edit = None if act == "copy" else ACTS[act](draft, options)
            except TrainerBotError:
                if is_fresh:
                    drafts.discard(draft, actor=None)
                raise
            if edit is not None and not edit.is_done:
                _wait(drafts.edit_task(edit), line)
                edit.refresh_from_db()
        draft.refresh_from_db()
        n_rows = edit.n_rows if edit else 0
        told = {
            "dataset": dataset.name,
            "version": draft.number,
            "act": act,
            "rows": n_rows,
            "examples": draft.n_examples,
        }
        said = f"{edit}. " if edit else ""
        self._tell(as_json, f"{said}{draft} is a draft of {draft.n_examples:,} examples.", told)
        if not as_json:
            self.say(f"Next: python3 run.py manage freezedataset {name!r}")

    def _draft(self, dataset: Dataset, line: ProgressLine) -> tuple[DatasetVersion, bool]:
        """The draft of a dataset, and whether it was made for this."""
        version = datasets.version_of(dataset)
        if version.is_draft:
            return version, False
        draft = drafts.copy(version, actor=None)
        if not draft.is_whole:
            _wait(drafts.copy_task(draft), line)
            draft = DatasetVersion.objects.get(pk=draft.pk)
        return draft, True

    def _tell(self, as_json: bool, words: str, data: dict[str, Any]) -> None:
        if as_json:
            self.give(data)
        else:
            self.say(words)


def _remove(draft: DatasetVersion, options: dict[str, Any]) -> DatasetEdit:
    return drafts.remove(draft, chosen=_some(options), actor=None)


def _relabel(draft: DatasetVersion, options: dict[str, Any]) -> DatasetEdit:
    if not options["to"]:
        raise InvalidInput("Say which label the rows get: --to LABEL.")
    return drafts.relabel(draft, chosen=_some(options), label=options["to"], actor=None)


def _some(options: dict[str, Any]) -> Filter:
    """Which rows: all of them are never meant by saying nothing."""
    chosen = _filter(options)
    if chosen.is_empty:
        raise InvalidInput("Say which rows: --label, --part, --source, --marked or --search.")
    return chosen


def _split(draft: DatasetVersion, options: dict[str, Any]) -> DatasetEdit:
    shares = dict(options["shares"]) or {"train": 0.9, "validation": 0.1}
    return drafts.split(draft, shares=shares, seed=options["seed"], actor=None)


ACTS: dict[str, Callable[[DatasetVersion, dict[str, Any]], DatasetEdit]] = {
    "deduplicate": lambda draft, options: drafts.deduplicate(
        draft, actor=None, near=not options["exact"]
    ),
    "mask": lambda draft, options: drafts.mask(draft, actor=None, chosen=_filter(options)),
    "relabel": _relabel,
    "split": _split,
    "remove": _remove,
    "undo": lambda draft, options: drafts.undo(draft, actor=None),
    "redo": lambda draft, options: drafts.redo(draft, actor=None),
}


def _filter(options: dict[str, Any]) -> Filter:
    names = ("label", "part", "source", "marked", "search")
    return Filter(**{name: options[name] for name in names})


def _share(text: str) -> tuple[str, float]:
    part, sign, share = text.partition("=")
    try:
        return part, float(share) if sign else float("nan")
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not PART=SHARE, such as train=0.9."
        ) from error


def _wait(task: Task | None, line: ProgressLine) -> None:
    """Do the work of a task here, unless a running system does it."""
    if task is None:
        return
    tasks.run_until_finished(task, each_try=lambda each: line.show(each.step, each.progress))
    if task.state != Task.State.SUCCEEDED:
        raise Conflict(task.error or "It was stopped before its end.")
