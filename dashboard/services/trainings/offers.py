"""What a training may be: from which base model, by which method, at what cost, tested on what."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.db.models import QuerySet

from dashboard.models import DatasetVersion, ModelPrice, Suite, SuiteVersion, Training
from dashboard.services import assistant, jobs, prices, provenance, suites
from dashboard.services.suites import estimates
from dashboard.services.trainings.picking import Picked, Scope
from dashboard.services.verdicts.asking import MOST_SUITES
from trainerbot.errors import InvalidInput
from trainerbot.formats.rows import Kind
from trainerbot.formats.tokens import estimate_epochs
from trainerbot.llm import ModelInfo

LEAST_EXAMPLES: Final = 10  # what OpenAI takes at least
BOTH: Final = "supervised+dpo"
LEAST_MIXED: Final = 50
MOST_MIXED: Final = 5_000
SHOWN: Final = 100  # datasets to choose from
SUPERVISED: Final = "supervised"
DPO: Final = "dpo"
HELD_OUT: Final = "Held out of what people taught"
N_SIDES: Final = 4  # base and tuned, each with and without recall


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a training takes. n_tokens: read in all passes together.

    tests_usd: of asking both models all tests; None where a price is not known.
    """

    n_tokens: int
    n_epochs: int
    n_answers: int
    tests_usd: Decimal | None


def ways(base: ModelInfo) -> list[str]:
    """The methods for a base model, the usual one first.

    One after the other is offered where an endpoint names no methods, as
    OpenAI does not: there what a fine-tune made is itself a base model.
    """
    named = jobs.methods(base)
    if "fine_tune_methods" in base.details:
        rank = {SUPERVISED: 0}
        return sorted(named, key=lambda way: rank.get(way, 1))
    return [SUPERVISED, BOTH, DPO]


def usual_base(offered: Sequence[ModelInfo], scope: Scope) -> ModelInfo | None:
    """The one of the last training there, else the one that answers now, else the first."""
    by_id = {model.id: model for model in offered}
    last = Training.objects.filter(scope=scope.value).order_by("-pk").first()
    for name in (last.base_model if last else "", assistant.current().model, settings.CHAT_MODEL):
        if name in by_id:
            return by_id[name]
    return offered[0] if offered else None


def check(picked: Picked, way: str, base: ModelInfo) -> None:
    """Raise InvalidInput, in words, for a training that cannot be."""
    if way not in ways(base):
        raise InvalidInput(
            f"{base.id} cannot be trained by {way!r}. It offers: {', '.join(ways(base))}."
        )
    if not picked.n_learned:
        raise InvalidInput(
            "There is nothing to learn: no correction that is in force there may be trained on."
        )
    if way in (DPO, BOTH) and not picked.n_pairs:
        raise InvalidInput(
            "No correction has a wrong answer beside the right one, which this method learns "
            "from. Choose another method."
        )


def warnings(picked: Picked, way: str, *, is_ours: bool) -> list[str]:
    """Sentences for whoever is about to press."""
    found = []
    few = "" if is_ours else " OpenAI takes no fewer, so the job would be refused."
    n_learned = picked.n_pairs if way == DPO else picked.n_learned
    if 0 < n_learned < LEAST_EXAMPLES:
        found.append(
            f"{n_learned} example{'s' * (n_learned != 1)} "
            f"{'is' if n_learned == 1 else 'are'} few: below {LEAST_EXAMPLES} a model hardly "
            f"learns anything.{few} Recall answers with them already."
        )
    if way == BOTH and 0 < picked.n_pairs < LEAST_EXAMPLES:
        found.append(
            f"{picked.n_pairs} pair{'s are' if picked.n_pairs > 1 else ' is'} few for the second "
            f"step: OpenAI takes {LEAST_EXAMPLES} at least."
        )
    if picked.n_learned and not picked.n_new:
        found.append("Nothing is new: a model has learned all of it before.")
    return found


def estimate(
    picked: Picked, chosen: Sequence[SuiteVersion], *, base_model: str, n_mixed: int = 0
) -> Estimate:
    """Return what is expected. Mixed-in examples count as long as the taught ones are.

    chosen: the general suites, beside which all that is in force is asked.
    """
    n_examples = picked.n_learned + n_mixed
    each = picked.n_tokens / picked.n_learned if picked.n_learned else 0
    n_epochs = estimate_epochs(n_examples) if n_examples else 0
    known = {price.model: price for price in ModelPrice.objects.all()}
    n_taught = len(picked.picks)
    tokens = sum(pick.n_characters for pick in picked.picks) // estimates.CHARACTERS_A_TOKEN
    costs = [estimates.of_run(test, known, model=base_model).cost_usd for test in chosen]
    costs.append(
        prices.cost(
            known,
            model=base_model,
            prompt_tokens=tokens + n_taught * estimates.FRAME_TOKENS,
            completion_tokens=tokens,
        )
    )
    # Four runs of each; what the tuned model will cost is taken to be the same.
    told = [cost for cost in costs if cost is not None]
    return Estimate(
        n_tokens=round(each * n_examples) * n_epochs,
        n_epochs=n_epochs,
        n_answers=N_SIDES * (n_taught + sum(test.n_cases for test in chosen)),
        tests_usd=sum(told, Decimal(0)) * N_SIDES if len(told) == len(costs) else None,
    )


def datasets_to_mix() -> QuerySet[DatasetVersion]:
    """The newest frozen version of each dataset of conversations, newest first."""
    rows = DatasetVersion.objects.frozen().filter(kind=Kind.CHAT.value, dataset__archived_at=None)
    ours = Training.objects.exclude(version=None).values("version__dataset")
    rows = rows.exclude(dataset__in=ours)
    newest: dict[int, int] = {}
    for dataset_id, pk in rows.order_by("-pk").values_list("dataset", "pk")[: 5 * SHOWN]:
        newest.setdefault(dataset_id, pk)
    found: QuerySet[DatasetVersion] = DatasetVersion.objects.filter(pk__in=newest.values())
    return found.select_related("dataset").order_by("-pk")


def n_mixed(source: DatasetVersion, n_taught: int) -> int:
    """How many rows of a dataset are learned beside so many taught ones."""
    wanted = min(max(n_taught, LEAST_MIXED), MOST_MIXED)
    return min(wanted, source.examples.kept(part="train" if source.split else "").count())


def check_mixed(version: DatasetVersion | None) -> None:
    """Raise InvalidInput for a version that cannot be learned beside."""
    if version is None:
        return
    if version.is_draft or version.kind != Kind.CHAT.value:
        raise InvalidInput(f"{version} is no frozen version of conversations. Choose another one.")
    provenance.check(version)


def general_suites() -> QuerySet[Suite]:
    """What a model may be tested with beside the corrections, newest first."""
    rows = Suite.objects.filter(guild=None).exclude(kind=Suite.Kind.CORRECTIONS)
    return suites.without_everyday(rows).exclude(name__startswith=HELD_OUT).order_by("-pk")


def chosen_suites(suite_ids: Sequence[int]) -> list[SuiteVersion]:
    """The newest versions of these suites that tell anything, as `verdicts` takes them."""
    found = []
    for suite in Suite.objects.filter(pk__in=list(suite_ids)).order_by("-pk"):
        version = suite.latest()
        if version is not None and version.part != "train":
            found.append(version)
    return found[:MOST_SUITES]
