"""The built-in suite of everyday questions: asked where there is too little else to see what was forgotten."""

from collections.abc import Iterable, Iterator
from typing import Final

from django.db.models import QuerySet

from dashboard.models import Judge, Suite, SuiteCase, SuiteRun, SuiteVersion
from dashboard.services.suites.content import ERASED, Content, make_version
from trainerbot.judging.collapse import ENOUGH, Said
from trainerbot.judging.everyday import EVERYDAY
from trainerbot.retrieval import canonical

NAME: Final = "Everyday questions of TrainerBot"
MAX_TOKENS: Final = 500  # of an answer: they are short, but some models think before it
LOOK_AT: Final = 2_000  # cases, before it is clear how many are different
RUBRIC: Final = "Right if it answers the question that was asked."


def everyday_suite() -> SuiteVersion:
    """The questions as they are now, as a suite; a new version is made only if they changed.

    Nobody judges their answers unless a run names a judge model: what counts is
    that they differ.
    """
    suite, _ = Suite.objects.get_or_create(name=NAME, defaults={"kind": Suite.Kind.UPLOADED})
    contents = [
        Content(question=each, judge=Judge.MODEL.value, judge_args={"rubric": RUBRIC})
        for each in EVERYDAY
    ]
    return make_version(suite, contents, actor=None)


def is_everyday(version: SuiteVersion) -> bool:
    return version.suite.name == NAME


def without_everyday(rows: QuerySet[Suite]) -> QuerySet[Suite]:
    """Those of which people choose what a model is tested on."""
    return rows.exclude(name=NAME)


def are_too_few(versions: Iterable[SuiteVersion]) -> bool:
    """Whether these have too few questions of different answers to see whether a model forgot others.

    A hundred questions that were all taught the same answer are one: a model
    that gives it to everything has them all right.
    """
    cases = SuiteCase.objects.filter(version__in=list(versions)).order_by("pk")
    questions, answers = set(), set()
    for question, expected, judge in cases.values_list("question", "expected", "judge")[:LOOK_AT]:
        asked = canonical(question)
        questions.add(asked)
        is_open = judge == Judge.LABEL or not expected
        answers.add(("asked", asked) if is_open else ("expected", canonical(expected)))
    return min(len(questions), len(answers)) < ENOUGH


def said(runs: Iterable[SuiteRun]) -> list[Said]:
    """What a model said in these runs, as `trainerbot.judging.collapse` hears it."""
    return [each for run in runs for each in _said(run)]


def _said(run: SuiteRun) -> Iterator[Said]:
    # What was refused or recalled is not in the model's own words.
    rows = (
        run.answers.filter(error="", correction=None)
        .exclude(answer__in=("", ERASED))
        .order_by("position")
    )
    told = ("case__question", "answer", "is_right", "case__expected", "case__judge")
    for question, answer, is_right, expected, judge in rows.values_list(*told):
        is_taught = judge == Judge.TAUGHT or run.version.suite.kind == Suite.Kind.CORRECTIONS
        yield Said(
            question=question,
            answer=answer,
            is_right=is_right,
            expected=expected if is_taught else "",
            may_repeat=judge == Judge.LABEL,
        )
