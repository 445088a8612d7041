"""The figures of a verdict, on a desk and on a phone."""

import pytest
from django.utils.timezone import now
from playwright.sync_api import expect

from dashboard.models import Verdict
from tests.dashboard.browser.conftest import LOOKS
from tests.factories import FineTuneJobFactory, TaskFactory, TrainingFactory, UserFactory

MODEL = "ft:gpt-4.1-mini-2025-04-14:library-of-the-city:opening-hours:Bx2YqLrT"
SHARES = {"base": 0.125, "base_recall": 0.975, "tuned": 0.5, "tuned_recall": 1.0}
SAID = [
    f"Promote {MODEL}: on Corrections v12 it answers 100 % rightly with recall and 50 % without, "
    "its base model 98 % and 12 %.",
    "on Corrections v12 it answers 100 % rightly with recall and 50 % without, its base model "
    "98 % and 12 %.",
    "on Opening hours of all our branches v3 it answers 100 % rightly with recall and 50 % "
    "without, its base model 98 % and 12 %.",
]


def decided(*, replaces: bool = False) -> dict[str, str]:
    """Addresses of the pages that show a verdict, by name."""
    job = FineTuneJobFactory(succeeded=True, fine_tuned_model=MODEL)
    usd = {"base": "0.000123", "base_recall": None, "tuned": "12.34", "tuned_recall": "0"}
    runs = {side: {"id": 1, "ms": 12_345, "usd": usd[side]} for side in SHARES}
    runs["base_recall"]["ms"] = None
    verdict = Verdict.objects.create(
        task=TaskFactory(kind="verdict"),
        job=None if replaces else job,
        base_model="gpt-4.1-mini-2025-04-14",
        tuned_model=MODEL,
        replaces=replaces,
        decision="promote",
        sentence=SAID[0],
        reasons=SAID[1:],
        decided_at=now(),
        figures=[
            {"name": name, "n": 120, **SHARES, "runs": runs}
            for name in ("Corrections v12", "Opening hours of all our branches v3")
        ],
    )
    if replaces:
        return {"replacement": f"/models/replacements/{verdict.pk}/"}
    training = TrainingFactory(
        model=MODEL,
        stage="succeeded",
        job=job,
        verdict=verdict,
        counts={"learned": 120, "new": 7, "held_out": 12},
    )
    return {"job": f"/fine-tuning/{job.pk}/", "training": f"/fine-tuning/taught/{training.pk}/"}


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_the_figures_of_a_verdict_are_read_without_a_swipe(
    open_page, endpoint, theme, size, take_picture
):
    pages = decided() | decided(replaces=True)
    page = open_page("/account/password/", user=UserFactory(admin=True), theme=theme, size=size)

    for name, address in pages.items():
        page.goto(address)
        expect(page.get_by_role("rowheader", name="ith recall").first).to_be_visible()
        page.evaluate("document.fonts.ready")
        take_picture(page, f"verdict-{name}-{theme}-{size[0]}")
        for region in page.locator("div[role=region]:has(th:text-is('Who'))").all():
            wide, seen = region.evaluate("each => [each.scrollWidth, each.clientWidth]")
            assert wide <= seen, f"{name} is {wide} pixels wide, of which {seen} are seen"
