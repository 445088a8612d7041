"""What a run will read, write and cost, before anybody is asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db.models import Sum
from django.db.models.functions import Length

from dashboard.models import Judge, ModelPrice, SuiteVersion
from dashboard.services import prices

CHARACTERS_A_TOKEN: Final = 4
FRAME_TOKENS: Final = 60  # of the system message, and what surrounds each message
ANSWER_TOKENS: Final = 120  # where nothing is expected to measure by
JUDGE_FRAME_TOKENS: Final = 350
VERDICT_TOKENS: Final = 80


@dataclass(frozen=True, slots=True)
class Expected:
    """Tokens of all answers and verdicts; dollars, None where a price is not known."""

    prompt_tokens: int
    completion_tokens: int
    cost_usd: Decimal | None


def of_run(
    version: SuiteVersion,
    known: Mapping[str, ModelPrice],
    *,
    model: str,
    judge_model: str = "",
    system_prompt: str = "",
) -> Expected:
    """Return what a run is expected to take: four letters a token, answers as long as expected.

    system_prompt: what the run tells where a case says nothing of its own.
    """
    read, written = _tokens(version, system_prompt)
    cost = prices.cost(known, model=model, prompt_tokens=read, completion_tokens=written)
    if judge_model:
        n_judged = version.cases.filter(judge=Judge.MODEL).count()
        share = n_judged / version.n_cases
        judge_read = round((read + written) * share) + n_judged * JUDGE_FRAME_TOKENS
        judge_written = n_judged * VERDICT_TOKENS
        more = prices.cost(
            known, model=judge_model, prompt_tokens=judge_read, completion_tokens=judge_written
        )
        read, written = read + judge_read, written + judge_written
        cost = None if cost is None or more is None else cost + more
    return Expected(read, written, cost)


def _tokens(version: SuiteVersion, system_prompt: str) -> tuple[int, int]:
    told = version.cases.aggregate(
        asked=Sum(Length("question")),
        expected=Sum(Length("expected")),
        system=Sum(Length("system")),
    )
    read = ((told["asked"] or 0) + (told["system"] or 0)) // CHARACTERS_A_TOKEN
    told_by_run = version.cases.filter(system="").count() if system_prompt else 0
    read += told_by_run * (len(system_prompt) // CHARACTERS_A_TOKEN)
    empty = version.cases.filter(expected="").count()
    written = (told["expected"] or 0) // CHARACTERS_A_TOKEN + empty * ANSWER_TOKENS
    return read + version.n_cases * FRAME_TOKENS, max(written, version.n_cases)
