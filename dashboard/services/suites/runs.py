"""Runs of suites: asked for, priced, found, cancelled."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction

from dashboard.models import Judge, SuiteRun, SuiteVersion, Task
from dashboard.services import audit, budgets, chat, places, providers, routing, storage, tasks
from dashboard.services.access import Person
from dashboard.services.suites import estimates, results
from dashboard.services.suites.everyday import is_everyday
from dashboard.services.suites.news import announce
from trainerbot.conversation import prompting
from trainerbot.errors import Conflict, InvalidInput, NotFound

KIND: Final = "evaluate-suite"
MAX_PROMPT: Final = 20_000  # characters
LEAST_USD: Final = Decimal("0.000001")
MOST_USD: Final = 10_000_000


def get(pk: int) -> SuiteRun:
    found = (
        SuiteRun.objects.select_related("version__suite__guild", "task", "created_by")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise NotFound("There is no such run.")
    return found


def submit(
    *,
    version: SuiteVersion,
    model: str = "",
    with_recall: bool = False,
    endpoint: str = "",
    system_prompt: str | None = None,
    temperature: float | None = 0.0,
    max_tokens: int | None = None,
    judge_model: str = "",
    judge_endpoint: str = "",
    budget_usd: Decimal | None = None,
    created_by: User | Person | None = None,
) -> SuiteRun:
    """Queue a run of `model` over all cases of `version`.

    Without a model, the one that chats. endpoint, judge_endpoint: a name of
    `providers.endpoints()`, the configured one if empty. system_prompt: in
    place of what the assistant is told there. judge_model: needed where a case
    is judged by rubric; else those cases are asked and not judged. budget_usd:
    it stops before it costs more. The same request while such a run is not
    over returns that one. Raises InvalidInput, in words, for what cannot be
    used, OverBudget where the suite's guild has none left, and
    ProviderUnavailable when no model is named and none can be found.
    """
    asked = providers.named(endpoint)
    guild = version.suite.guild
    rules = places.rules()
    if guild is not None:
        budgets.check_open(guild=guild, discord_user=None, rules=rules)
    place = rules.place(guild.discord_guild_id if guild else None)
    if not model.strip() and endpoint:
        raise InvalidInput(f"Name the model of {endpoint} that is to be asked.")
    # A name such as @support is asked as what answers most people under it.
    place = replace(place, model=model.strip() or place.model)
    place = routing.route(place, aliases=rules.aliases, who="")
    model = place.model or providers.ask_at_once(chat.default_model)
    if system_prompt is None:
        system_prompt = prompting.in_language(place.system_prompt, place.language)
    if temperature is not None and not 0 <= temperature <= 2:
        raise InvalidInput("The temperature is a number from 0 to 2.")
    if budget_usd is not None and not LEAST_USD <= budget_usd <= MOST_USD:
        raise InvalidInput(
            f"The budget is from ${LEAST_USD} to ${MOST_USD:,}. Leave it empty for no limit."
        )
    wanted: dict[str, Any] = {
        "version": version,
        "model": _name(model),
        "endpoint": asked.name,
        "with_recall": with_recall,
        "system_prompt": _usable(system_prompt),
        "temperature": temperature,
        "max_tokens": max_tokens or place.max_tokens,
        "judge_model": _name(judge_model) if judge_model.strip() else "",
        "judge_endpoint": providers.named(judge_endpoint).name if judge_model.strip() else "",
        "budget_usd": budget_usd,
        "n_cases": version.n_cases,
    }
    expected = estimates.of_run(
        version,
        rules.prices,
        model=wanted["model"],
        judge_model=wanted["judge_model"],
        system_prompt=wanted["system_prompt"],
    )
    if budget_usd is not None and expected.cost_usd is None:
        raise InvalidInput(
            "A budget needs the price of the models that are asked. Enter it in the settings."
        )
    with transaction.atomic():
        SuiteVersion.objects.select_for_update().get(pk=version.pk)
        twin = SuiteRun.objects.filter(
            task__state__in=(Task.State.READY, Task.State.RUNNING),
            task__cancel_requested=False,
            **wanted,
        ).first()
        if twin is not None:
            return twin
        run = SuiteRun.objects.create(
            task=tasks.submit(KIND, args={}),
            estimated_usd=expected.cost_usd,
            created_by=created_by.user if isinstance(created_by, Person) else created_by,
            **wanted,
        )
        audit.record(
            created_by,
            "suiterun.submit",
            f"run {run.pk}",
            model=run.model,
            version=str(version),
            with_recall=with_recall,
        )
        announce(run)
    return run


def default_prompt(version: SuiteVersion) -> str:
    """What a run tells the model first unless it is told otherwise: as the assistant is told there."""
    guild = version.suite.guild
    place = places.rules().place(guild.discord_guild_id if guild else None)
    return prompting.in_language(place.system_prompt, place.language)


def needs_judge_model(version: SuiteVersion) -> bool:
    """Whether a case of it is to be judged by a model; our everyday questions are only asked."""
    return not is_everyday(version) and version.cases.filter(judge=Judge.MODEL).exists()


@transaction.atomic
def cancel(run: SuiteRun, *, actor: User | Person | None) -> SuiteRun:
    """Ask a run to stop; the answers it has stay. Raises Conflict when it is over."""
    if not tasks.cancel(run.task):
        raise Conflict(f"Run {run.pk} is over already.")
    run.task.refresh_from_db()
    if run.is_finished:
        results.settle(run)
    audit.record(actor, "suiterun.cancel", f"run {run.pk}")
    announce(run)
    return run


def _name(model: str) -> str:
    model = model.strip()
    if not model or len(model) > 200 or not model.isprintable():
        raise InvalidInput("The name of a model has 1 to 200 letters, digits and signs.")
    return model


def _usable(prompt: str) -> str:
    prompt = prompt.strip()
    if len(prompt) > MAX_PROMPT:
        raise InvalidInput(f"What the model is told has {MAX_PROMPT:,} characters at most.")
    storage.check_text(prompt, what="What the model is told")
    return prompt
