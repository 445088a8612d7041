"""Which judge reads an answer, and what it says; a judge model's verdict comes later."""

from typing import Final

from dashboard.models import Judge, SuiteCase, SuiteRun
from dashboard.services.suites.content import ERASED
from trainerbot.judging import Verdict, contains, label, not_judged, similar, verbatim

NOBODY: Final = "nobody"
"""Who judged, of an answer that needs a judge model where the run has none."""


def needs_model(run: SuiteRun, case: SuiteCase) -> bool:
    """Whether the verdict has to be asked of a judge model."""
    return case.judge == Judge.MODEL and bool(run.judge_model) and case.question != ERASED


def judged_by(run: SuiteRun, case: SuiteCase) -> str:
    """The name of whoever judges a case in a run: of a judge, or of a judge model."""
    match case.judge:
        case Judge.TAUGHT:
            return Judge.VERBATIM.value if run.with_recall else Judge.SIMILAR.value
        case Judge.MODEL:
            return run.judge_model or NOBODY
        case other:
            return other


def by_words(run: SuiteRun, case: SuiteCase, answer: str) -> Verdict:
    """Judge an answer by its words.

    As taught: with recall the human's very words have to come; a model that
    was tuned on them says them nearly, so without recall likeness counts.
    """
    args = case.judge_args
    if case.question == ERASED and not args:
        return not_judged("Its words were erased at their author's wish.")
    match judged_by(run, case):
        case Judge.VERBATIM:
            return verbatim(expected=case.expected, answer=answer)
        case Judge.SIMILAR:
            return similar(expected=case.expected, answer=answer, least=args["least"])
        case Judge.CONTAINS:
            return contains(phrases=args["phrases"], without=args["without"], answer=answer)
        case Judge.LABEL:
            return label(expected=case.expected, answer=answer, labels=args["labels"])
        case _:
            return not_judged("This run has no judge model.")
