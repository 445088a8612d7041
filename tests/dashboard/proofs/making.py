"""Corrections that were tested: what a proof is made of."""

from collections.abc import Sequence

from dashboard.models import Correction, SuiteRun
from dashboard.services import suites
from tests.factories import SuiteRunFactory


def was_asked(model: str, rights: Sequence[bool | None], *, with_recall: bool = False) -> SuiteRun:
    """A run over the corrections in force everywhere, that is over."""
    version = suites.corrections_suite()
    run: SuiteRun = SuiteRunFactory(
        version=version, model=model, rights=rights, with_recall=with_recall
    )
    return run


def again(correction: Correction) -> Correction:
    """As a page reads it: with all its rows anew."""
    return Correction.objects.select_related("guild", "channel", "message__conversation").get(
        pk=correction.pk
    )
