"""What a run has spent, and whether it may go on."""

from collections.abc import Mapping
from decimal import Decimal

from dashboard.models import ModelPrice, SuiteRun
from dashboard.services import prices
from trainerbot.errors import NotAllowed
from trainerbot.llm import Usage


class BudgetSpent(NotAllowed):
    """A run has come to the dollars that a person allowed it."""


class Purse:
    """The budget of one run. What is on its way counts as what an answer costs on average."""

    def __init__(self, run: SuiteRun, known: Mapping[str, ModelPrice]) -> None:
        self._run = run
        self._known = known

    def cost(self, model: str, usage: Usage) -> Decimal | None:
        """US dollars of one answer or verdict; None where no price is known."""
        return prices.cost(
            self._known,
            model=model,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
        )

    def allows(self, *, n_on_the_way: int) -> bool:
        """Whether one question more may be asked, beside those that are on their way."""
        run = self._run
        if run.budget_usd is None:
            return True
        spent = run.cost_usd or Decimal(0)
        return spent + (n_on_the_way + 1) * self._usual() <= run.budget_usd

    def is_spent(self) -> BudgetSpent:
        """What is said when it allows no more."""
        budget, spent = self._run.budget_usd or Decimal(0), self._run.cost_usd or Decimal(0)
        return BudgetSpent(
            f"The budget of ${budget.normalize():f} does not allow another question: "
            f"${spent.normalize():f} are spent. Start a run with more to ask the rest."
        )

    def _usual(self) -> Decimal:
        """What one answer costs: the average so far, or what was estimated."""
        run = self._run
        if run.n_done and run.cost_usd:
            return run.cost_usd / run.n_done
        return (run.estimated_usd or Decimal(0)) / run.n_cases
