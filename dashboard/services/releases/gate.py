"""What speaks against promoting a model: a correction that it fails, or a suite on which it drops."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from django.contrib.auth.models import User

from dashboard.models import PlaceSettings, Suite, SuiteRun, SuiteVersion
from dashboard.services import suites
from dashboard.services.access import Person

if TYPE_CHECKING:
    from dashboard.models import Alias, Release

NAMED: Final = 3  # of the corrections that fail


def objections(release: Release) -> list[str]:
    """A sentence for each reason why this release should not answer everybody; none if it may.

    Every correction in force where the alias answers is a test, and none may
    fail; on the suites that the alias names, a release may do at most its
    margin worse than the one that answers now.
    """
    alias = release.alias
    found = [
        said for version in _corrections(alias) for said in _about_corrections(release, version)
    ]
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
    alias, queued = release.alias, []
    for version in versions(alias):
        is_general = version.suite.kind != Suite.Kind.CORRECTIONS
        asked = [release, *([alias.stable] if is_general and alias.stable else [])]
        queued += [_submit(each, version, actor) for each in asked if run_of(each, version) is None]
    return queued


def _submit(release: Release, version: SuiteVersion, actor: User | Person | None) -> SuiteRun:
    return suites.submit(
        version=version,
        model=release.model,
        with_recall=True,
        system_prompt=release.system_prompt or None,
        created_by=actor,
    )


def _corrections(alias: Alias) -> Iterator[SuiteVersion]:
    """The corrections in force everywhere, and those of each guild where the alias answers."""
    here = PlaceSettings.objects.filter(model=str(alias)).select_related("guild")
    guilds = {row.guild_id: row.guild for row in here}
    for guild in (None, *guilds.values()):
        if suites.corrections_in_force(guild).exists():
            yield suites.corrections_suite(guild)


def _about_corrections(release: Release, version: SuiteVersion) -> Iterator[str]:
    run = run_of(release, version)
    if run is None:
        yield f"It was not tested on {version} yet, which has {version.n_cases} corrections."
        return
    failed = run.answers.exclude(is_right=True).select_related("case").order_by("position")
    n_failed = failed.count()
    if n_failed:
        named = "; ".join(f"“{row.case.question[:80]}”" for row in failed[:NAMED])
        more = f" and {n_failed - NAMED} more" if n_failed > NAMED else ""
        yield f"It fails {n_failed} of {run.n_cases} corrections: {named}{more}."


def _about_suite(release: Release, stable: Release, suite: Suite) -> Iterator[str]:
    version = suite.latest()
    if version is None:
        return
    run = run_of(release, version)
    if run is None:
        yield f"It was not tested on {version} yet."
        return
    before = run_of(stable, version)
    if before is None:
        yield f"{stable.model}, which answers now, was not tested on {version} yet."
        return
    drop = 100 * (_share(before) - _share(run))
    if drop > release.alias.margin:
        yield (
            f"On {version} it answers {100 * _share(run):.0f} % rightly, {drop:.1f} points fewer "
            f"than {stable.model}; {release.alias.margin:g} are allowed."
        )


def run_of(release: Release, version: SuiteVersion) -> SuiteRun | None:
    """The newest whole test of a release as people would meet it: with corrections, and its persona."""
    runs = SuiteRun.objects.finished().filter(
        version=version, model=release.model, with_recall=True
    )
    if release.system_prompt:
        runs = runs.filter(system_prompt=release.system_prompt)
    return runs.order_by("-pk").first()


def _share(run: SuiteRun) -> float:
    return run.n_right / run.n_cases
