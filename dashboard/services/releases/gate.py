"""What speaks against promoting a model: a correction that it fails, or a suite on which it drops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from dashboard.models import (
    AssistantSettings,
    Correction,
    DiscordGuild,
    PlaceSettings,
    Suite,
    SuiteRun,
    SuiteVersion,
    Task,
    Verdict,
)
from dashboard.services import assistant, places, providers, suites
from dashboard.services.access import Person
from trainerbot.judging.collapse import hear
from trainerbot.judging.verdict import REFUSE

if TYPE_CHECKING:
    from dashboard.models import Alias, Release


def objections(release: Release) -> list[str]:
    """A sentence for each reason why this release should not answer everybody; none if it may.

    Every correction in force where the alias answers is a test, and none may
    fail, nor may the model by itself say one thing to everything, or have been
    found worse than its base model after its fine-tune; on the suites that the
    alias names, it may do at most its margin worse than the one that answers now.
    """
    alias = release.alias
    found = [
        said for version in _corrections(alias) for said in about_corrections(release, version)
    ]
    forgot = forgetting(release, list(_corrections(alias)))
    found += [*forgot.against, *forgot.unknown, *about_verdicts(release)]
    if alias.stable is not None and alias.stable_id != release.pk:
        for suite in alias.suites.order_by("name"):
            found += _about_suite(release, alias.stable, suite)
    return found


def versions(alias: Alias) -> list[SuiteVersion]:
    """What a release is to be tested on before it may be promoted."""
    named = [suite.latest() for suite in alias.suites.order_by("name")]
    return [*_corrections(alias), *(version for version in named if version is not None)]


def test(release: Release, *, actor: User | Person | None) -> list[SuiteRun]:
    """Have a release asked all that the gate will ask for, and the one that answers now as well.

    What was tested already is not asked again. Returns the runs that were queued.
    """
    return [
        submit_test(each, version, actor, with_recall=with_recall)
        for each, version, with_recall in _unasked(release)
    ]


def being_tested(alias: Alias) -> QuerySet[SuiteRun]:
    """Runs that are not over yet of the models that were to be released under a name."""
    under_way = (Task.State.READY, Task.State.RUNNING)
    models = alias.releases.values("model")
    rows = SuiteRun.objects.filter(task__state__in=under_way, model__in=models)
    return rows.select_related("version__suite").order_by("pk")


def price(release: Release) -> tuple[int, Decimal | None]:
    """How many questions `test` would ask, and for how many dollars, None where a price is not known.

    The release need not be stored.
    """
    known = places.rules().prices
    n_questions, usd, is_known = 0, Decimal(0), True
    for each, version, _ in _unasked(release):
        n_questions += version.n_cases
        expected = suites.expected(
            version,
            known,
            model=each.model,
            judge_model=judge_of(each) if suites.needs_judge_model(version) else "",
            system_prompt=each.system_prompt or suites.default_prompt(version),
        ).cost_usd
        is_known = is_known and expected is not None
        usd += expected or Decimal(0)
    return n_questions, usd if is_known else None


def is_untested(release: Release) -> bool:
    """Whether `test` would ask anything."""
    return next(_unasked(release), None) is not None


def _unasked(release: Release) -> Iterator[tuple[Release, SuiteVersion, bool]]:
    """Who is still to be asked what, and whether with recall."""
    alias = release.alias
    for version in versions(alias):
        asked = [(release, True)]
        if version.suite.kind == Suite.Kind.CORRECTIONS:
            asked.append((release, False))
        elif alias.stable is not None:
            asked.append((alias.stable, True))
        for each, with_recall in asked:
            if run_of(each, version, with_recall=with_recall) is None:
                yield each, version, with_recall
    corrections = list(_corrections(alias))
    if corrections and suites.are_too_few(corrections):
        everyday = suites.everyday_suite()
        # What answers now as well: not to know what it does not know either is no fault.
        others = [alias.stable] if alias.stable is not None and alias.stable != release else []
        for each in (release, *others):
            if run_of(each, everyday, with_recall=False) is None:
                yield each, everyday, False


def judge_of(release: Release) -> str:
    """Who judges rubrics of its tests: as its alias says, else the settings; "" for nobody."""
    named = release.alias.judge_model if release.alias_id is not None else ""
    return named or assistant.current().judge_model


def submit_test(
    release: Release,
    version: SuiteVersion,
    actor: User | Person | None,
    *,
    with_recall: bool,
    budget_usd: Decimal | None = None,
) -> SuiteRun:
    """Have a release asked one version, with its own persona and settings. It need not be stored."""
    most = suites.EVERYDAY_TOKENS if suites.is_everyday(version) else None
    return suites.submit(
        judge_model=judge_of(release) if suites.needs_judge_model(version) else "",
        budget_usd=budget_usd,
        version=version,
        model=release.model,
        with_recall=with_recall,
        system_prompt=release.system_prompt or None,
        temperature=release.temperature or 0.0,
        max_tokens=min(release.max_tokens or most, most) if most else release.max_tokens,
        created_by=actor,
    )


def _corrections(alias: Alias) -> Iterator[SuiteVersion]:
    """The corrections in force everywhere, and those of each guild where the alias answers."""
    if AssistantSettings.objects.filter(model=str(alias)).exists():
        everywhere = Correction.objects.approved().exclude(guild=None)
        ids = set(everywhere.values_list("guild_id", flat=True))
    else:
        here = PlaceSettings.objects.filter(model=str(alias))
        ids = set(here.values_list("guild_id", flat=True))
    for guild in (None, *DiscordGuild.objects.filter(pk__in=ids).order_by("pk")):
        if suites.corrections_in_force(guild).exists():
            yield suites.corrections_suite(guild)


def about_corrections(release: Release, version: SuiteVersion) -> Iterator[str]:
    """What speaks against it on one suite of corrections, a sentence each."""
    run = run_of(release, version)
    if run is None:
        n = version.n_cases
        yield f"It was not tested on {version} yet, which has {n} correction{'s' * (n != 1)}."
    else:
        yield from failures(run)
    # With the corrections taking part their words are the answer, and it says nothing itself.
    alone = run_of(release, version, with_recall=False)
    if alone is None:
        yield f"It was not heard by itself on {version} yet."


def failures(run: SuiteRun) -> Iterator[str]:
    """What a run over corrections, with recall, says against its model."""
    if failed := run.n_cases - run.n_right:
        # Without their words, which somebody may want erased: the history keeps this.
        many = "s" * (run.n_cases != 1)
        yield f"It fails {failed} of {run.n_cases} correction{many}; run {run.pk} shows which."


@dataclass(frozen=True, slots=True)
class Forgetting:
    """Whether a model forgot all but what it was taught. against: it did; unknown: it was not seen yet."""

    against: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def forgetting(release: Release, corrections: Sequence[SuiteVersion]) -> Forgetting:
    """Look at what it says by itself to these corrections, and to everyday questions where they are few.

    It is compared with what answers now under its alias, where that was asked as well.
    """
    if not corrections:
        return Forgetting()
    versions, unknown = list(corrections), list[str]()
    own = _alone(release, versions)
    if suites.are_too_few(corrections):
        everyday = suites.everyday_suite()
        versions.append(everyday)
        heard_so = _alone(release, [everyday])
        if not heard_so and len(own) == len(corrections):  # else it is untested, and that is said
            unknown.append(
                "It was not asked our everyday questions yet: these corrections are too few to "
                "see whether it still answers others."
            )
        own += heard_so
    stable = release.alias.stable if release.alias_id is not None else None
    heard = hear(suites.said(own), suites.said(_alone(stable, versions) if stable else []))
    if not own or not heard.words:
        return Forgetting((), tuple(unknown))
    which = ", ".join(str(run.pk) for run in own)
    shown = f"run {which} shows it" if len(own) == 1 else f"runs {which} show it"
    if heard.is_collapsed:
        return Forgetting((f"It {heard.words}; {shown}.",), tuple(unknown))
    if len(own) == len(versions):  # else the tests that are missing are named already
        unknown.append(f"It {heard.words}; {shown}.")
    return Forgetting((), tuple(unknown))


def _alone(release: Release, versions: Sequence[SuiteVersion]) -> list[SuiteRun]:
    runs = (run_of(release, version, with_recall=False) for version in versions)
    return [run for run in runs if run is not None]


def about_verdicts(release: Release) -> Iterator[str]:
    """What was found after its fine-tune, or when it was tried as a replacement."""
    decided = Verdict.objects.filter(tuned_model=release.model).exclude(decision="")
    for replaces, when in (
        (False, "After its fine-tune"),
        (True, "When it was tried in its place"),
    ):
        newest = decided.filter(replaces=replaces).order_by("-pk").first()
        if newest is not None and newest.decision == REFUSE:
            yield f"{when} the verdict was: {newest.sentence}"


def _about_suite(release: Release, stable: Release, suite: Suite) -> Iterator[str]:
    version = suite.latest()
    if version is None:
        return
    if suites.needs_judge_model(version) and not judge_of(release):
        yield (
            f"{version} has rubrics, and nobody judges them: name a judge model for the gate, or "
            "in Settings."
        )
        return
    run = run_of(release, version)
    if run is None:
        yield f"It was not tested on {version} yet."
        return
    before = run_of(stable, version)
    if before is None:
        yield f"{stable.model}, which answers now, was not tested on {version} yet."
        return
    drop = 100 * (before.n_right - run.n_right) / version.n_cases
    if round(drop, 6) > release.alias.margin:
        yield (
            f"On {version} it answers {100 * run.n_right / run.n_cases:.0f} % rightly, {drop:.1f} points fewer "
            f"than {stable.model}; {release.alias.margin:g} are allowed."
        )


def run_of(release: Release, version: SuiteVersion, *, with_recall: bool = True) -> SuiteRun | None:
    """The newest whole test of a release as people would meet it, at the endpoint that answers them.

    Where it leaves persona or length to the place, a test with any counts.
    """
    as_released: dict[str, Any] = {
        name: value
        for name, value in (
            ("system_prompt", release.system_prompt),
            ("max_tokens", release.max_tokens),
        )
        if value
    }
    if suites.is_everyday(version):
        as_released.pop("max_tokens", None)  # its answers are short, whatever it may say elsewhere
    judge = judge_of(release)
    if judge and suites.needs_judge_model(version):
        as_released["judge_model"] = judge
    runs = SuiteRun.objects.finished().filter(
        version=version,
        model=release.model,
        endpoint=providers.endpoint().name,
        temperature=release.temperature or 0.0,
        with_recall=with_recall,
        **as_released,
    )
    return runs.order_by("-pk").first()
