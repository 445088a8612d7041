"""`manage.py evaluate MODEL --suite S [--against MODEL2]`: ask a model what it should know."""

import time
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from django.core.management.base import CommandError, CommandParser

from dashboard.management.service_command import ServiceCommand
from dashboard.models import SuiteRun, Task
from dashboard.services import embedded, processes, suites, tasks
from dashboard.services.suites import Comparison
from trainerbot.errors import InvalidInput, TrainerBotError

LOOK_S: Final = 0.5
SHOWN: Final = 20
FAILED, BROKEN = 1, 2


class Command(ServiceCommand):
    help = (
        "Ask a model the cases of a suite, judge its answers and score them. The exit code is 0 "
        "when it is good enough or only scored, 1 when it is not (below --least, or clearly worse than --against "
        "by more than --margin), and 2 when that could not be found out. Without a running system "
        "this command does the work itself."
    )
    _told = ""  # what was last said on stderr

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("model", help="Who is asked")
        parser.add_argument(
            "--suite", required=True, help='A suite\'s name; "corrections" for what people taught'
        )
        parser.add_argument("--number", type=int, help="An older version of the suite")
        parser.add_argument("--against", default="", help="A model to compare with")
        parser.add_argument("--endpoint", default="", help="Default: the configured one")
        parser.add_argument("--against-endpoint", default="", help="Default: as --endpoint")
        recall = parser.add_mutually_exclusive_group()
        recall.add_argument("--recall", action="store_true", help="With approved corrections")
        recall.add_argument(
            "--no-recall", action="store_false", dest="recall", help="The model alone (default)"
        )
        parser.add_argument("--judge-model", default="", help="Who judges by rubric")
        parser.add_argument("--judge-endpoint", default="", help="Default: the configured one")
        parser.add_argument("--budget", default="", help="US dollars that each run may cost")
        parser.add_argument(
            "--least", type=float, default=0.0, help="Share of right answers, 0 to 1, to pass"
        )
        parser.add_argument(
            "--margin",
            type=float,
            default=0.0,
            help="How much worse than --against, 0 to 1, still passes",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            super().handle(*args, **options)
        except CommandError as error:
            # What could not be found out is no verdict.
            code = error.returncode if getattr(error, "is_verdict", False) else BROKEN
            raise CommandError(
                str(error), returncode=130 if error.returncode == 130 else code
            ) from error

    def run(self, **options: Any) -> None:
        if not (0 <= options["least"] <= 1 and 0 <= options["margin"] <= 1):
            raise InvalidInput("--least and --margin are shares from 0 to 1.")
        elsewhere = options["against_endpoint"] or options["endpoint"]
        if (options["against"], elsewhere) == (options["model"], options["endpoint"]):
            raise InvalidInput("A model is compared with another one, or at another endpoint.")
        version = suites.resolve(options["suite"], number=options["number"])
        wanted = {
            "version": version,
            "with_recall": options["recall"],
            "judge_model": options["judge_model"],
            "judge_endpoint": options["judge_endpoint"],
            "budget_usd": _dollars(options["budget"]),
        }
        if suites.needs_judge_model(version) and not options["judge_model"]:
            self.stderr.write("Cases with a rubric are not judged: name a --judge-model.")
        with embedded.running():
            runs = [suites.submit(model=options["model"], endpoint=options["endpoint"], **wanted)]
            if options["against"]:
                runs.append(suites.submit(model=options["against"], endpoint=elsewhere, **wanted))
            for run in runs:
                self._finish(run)
        done = [suites.get(run.pk) for run in runs]
        for run in done:
            if run.status != Task.State.SUCCEEDED:
                raise TrainerBotError(
                    f"Run {run.pk} {run.status}. {run.error or run.task.error}".strip()
                )
        comparison = suites.compare(*done) if len(done) == 2 else None
        self._report(done, comparison, options)

    def _report(
        self, runs: list[SuiteRun], comparison: Comparison | None, options: dict[str, Any]
    ) -> None:
        why = _why_not(runs[0], comparison, options)
        if options["as_json"]:
            self.give(
                {
                    # Without a bar to reach nothing is passed or failed.
                    "passed": not why if _has_a_bar(options) else None,
                    "verdict": "failed" if why else "passed" if _has_a_bar(options) else "scored",
                    "why": why or None,
                    "run": as_row(runs[0]),
                    "against": as_row(runs[1]) if len(runs) == 2 else None,
                    "comparison": asdict(comparison) if comparison else None,
                }
            )
        else:
            for run in runs:
                self._show(run)
            if comparison:
                low, high = comparison.interval
                self.say(
                    f"{runs[0].model} against {runs[1].model}: "
                    f"{_n(comparison.wins, 'win', 'wins')}, "
                    f"{_n(comparison.losses, 'loss', 'losses')}, "
                    f"{_n(comparison.ties, 'tie', 'ties')}; difference "
                    f"{comparison.difference:+.1%} (95 % interval {low:+.1%} to {high:+.1%})"
                )
            if not _has_a_bar(options):
                self.say("Scored, not judged: name --least or --against to let it pass or fail.")
        if why:
            _fail(why)

    def _finish(self, run: SuiteRun) -> None:
        while not run.task.is_finished and processes.is_alive("worker"):
            time.sleep(LOOK_S)
            run.task.refresh_from_db()
            self._tell(run.task)
        tasks.run_until_finished(run.task, each_try=self._tell)

    def _tell(self, task: Task) -> None:
        """Say on stderr what a run waits for, once."""
        waits_for = SuiteRun.objects.get(task=task).error
        if waits_for and waits_for != self._told:
            self.stderr.write(waits_for)
        self._told = waits_for

    def _show(self, run: SuiteRun) -> None:
        found = suites.answers(run, size=SHOWN)
        for answer in found.rows:
            self.say(f"{answer.case.question[:100]!r}: {answer.answer[:200]!r}. {answer.reason}")
        if found.after:
            self.say("... and more wrong answers on the dashboard")
        scores = run.scores
        if scores is None:
            self.say(f"Run {run.pk}: {run.model} on {run.version}: nothing could be judged")
            return
        low, high = scores["right"]["interval"]
        cost = f", ${run.cost_usd:f}" if run.cost_usd is not None else ""
        self.say(
            f"Run {run.pk}: {run.model} on {run.version}: {scores['right']['mean']:.1%} of "
            f"{scores['n_judged']:,} right (95 % interval {low:.1%} to {high:.1%}){cost}"
        )


def as_row(run: SuiteRun) -> dict[str, Any]:
    return {
        "id": run.pk,
        "status": run.status,
        "suite": run.version.suite.name,
        "version": run.version.number,
        "model": run.model,
        "endpoint": run.endpoint,
        "with_recall": run.with_recall,
        "judge_model": run.judge_model or None,
        "n_cases": run.n_cases,
        "n_done": run.n_done,
        "n_right": run.n_right,
        "n_judged": run.n_judged,
        "n_refused": run.n_refused,
        "prompt_tokens": run.prompt_tokens,
        "completion_tokens": run.completion_tokens,
        "cost_usd": None if run.cost_usd is None else float(run.cost_usd),
        "scores": run.scores,
        "error": run.error or None,
    }


def _has_a_bar(options: dict[str, Any]) -> bool:
    """Whether anything was asked for that a model can fall short of."""
    return bool(options["least"] or options["against"])


def _why_not(run: SuiteRun, comparison: Comparison | None, options: dict[str, Any]) -> str:
    """Why a model does not pass, in a sentence; "" where it does."""
    if run.scores is None:
        raise TrainerBotError("Nothing could be judged, so there is no verdict.")
    share = run.scores["right"]["mean"]
    if share < options["least"]:
        return f"{share:.1%} are right, and {options['least']:.1%} are needed."
    if comparison and comparison.is_clear and comparison.difference < -options["margin"]:
        return (
            f"{run.model} is clearly worse: {comparison.difference:+.1%}, and a margin of "
            f"{options['margin']:.1%} is allowed."
        )
    return ""


def _n(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def _fail(why: str) -> NoReturn:
    error = CommandError(why, returncode=FAILED)
    error.is_verdict = True  # type: ignore[attr-defined]  # read by handle() alone
    raise error


def _dollars(told: str) -> Decimal | None:
    if not told:
        return None
    try:
        value = Decimal(told)
    except InvalidOperation as error:
        raise InvalidInput("--budget is a number of US dollars, such as 0.50.") from error
    if not value.is_finite():
        raise InvalidInput("--budget is a number of US dollars, such as 0.50.")
    return value
