"""The pages about models that are switched off."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from dashboard.models import Retirement, Verdict
from dashboard.services import assistant, providers, retirements
from tests.factories import (
    AliasFactory,
    DatasetVersionFactory,
    DiscordGuildFactory,
    PlaceSettingsFactory,
    SuiteRunFactory,
    suite_version,
)
from tests.fakes.openai_endpoint import FakeOpenAI

pytestmark = pytest.mark.django_db


def goes(model: str, *, in_days: int) -> None:
    day = now().date() + timedelta(days=in_days)
    Retirement.objects.create(
        endpoint=providers.endpoint().name, model=model, day=day, seen_at=now()
    )


@pytest.mark.parametrize(
    "page", ["/overview/", "/bot/", "/releases/", "/servers/", "/models/", "/models/retiring/"]
)
def test_a_model_in_use_that_is_soon_gone_is_warned_of(admin, page):
    goes("small", in_days=20)
    assistant.use_model("small", actor=None)

    shown = admin.get(page).content.decode()

    assert "switches small off on" in shown
    assert "in 20 days" in shown
    assert "It answers everywhere, as Settings say." in shown
    assert "/models/replace/?model=small" in shown


def test_a_servers_page_warns_of_what_concerns_it(admin):
    goes("small", in_days=20)
    here, there = DiscordGuildFactory(), DiscordGuildFactory()
    PlaceSettingsFactory(guild=here, model="small")

    assert "switches small off" in admin.get(f"/servers/{here.pk}/").content.decode()
    assert "switches small off" not in admin.get(f"/servers/{there.pk}/").content.decode()
    assert "switches small off" in admin.get(f"/models/retiring/?guild={here.pk}").content.decode()


def test_the_form_of_a_fine_tune_warns_of_a_base_model_that_goes(trainer, endpoint: FakeOpenAI):
    DatasetVersionFactory(n_examples=3)
    goes("tiny-chat", in_days=300)

    page = trainer.get("/fine-tuning/new/choices/?base_model=tiny-chat").content.decode()

    assert "switches tiny-chat off" in page
    assert "A model tuned from it is switched off with it" in page


def test_the_list_of_models_shows_until_when_each_answers(admin, endpoint: FakeOpenAI):
    goes("tiny-chat", in_days=300)

    assert "until " in admin.get("/models/rows/").content.decode()


def test_a_replacement_is_chosen_tried_and_led_to_the_gate(admin):
    goes("small", in_days=20)
    alias = AliasFactory(name="support", answered_by="small")
    version = suite_version(n_cases=10)
    for model in ("small", "large"):
        for with_recall in (True, False):
            SuiteRunFactory(
                version=version, model=model, rights=[True] * 10, with_recall=with_recall,
                endpoint=providers.endpoint().name,
            )  # fmt: skip

    form = admin.get("/models/replace/?model=small").content.decode()
    price = admin.get(f"/models/replace/price/?model=small&replacement=large&alias={alias.pk}")
    sent = admin.post(
        "/models/replace/", {"model": "small", "replacement": "large", "alias": alias.pk}
    )
    verdict = Verdict.objects.get()
    shown = admin.get(sent["Location"]).content.decode()

    assert "In the place of small" in form
    assert "was asked before" in price.content.decode()
    assert sent["Location"] == f"/models/replacements/{verdict.pk}/"
    assert "Both are being asked: 40 of 40 answers" in shown


def test_when_it_is_over_the_changed_answers_and_the_promotion_are_one_click_away(admin):
    AliasFactory(name="support", answered_by="small")
    suite_version()
    verdict = retirements.begin("small", "large", actor=None)
    runs = {row.side: row.run_id for row in verdict.runs.all()}
    sides = {side: {"id": run, "usd": None, "tokens": 0, "ms": 12} for side, run in runs.items()}
    verdict.figures = [{"name": "Suite v1", "n": 4, "runs": sides} | dict.fromkeys(runs, 0.5)]
    verdict.decision, verdict.sentence = "promote", "large can take the place of small."
    verdict.decided_at = now()
    verdict.save()

    page = admin.get(f"/models/replacements/{verdict.pk}/").content.decode()
    compared = f"/runs/compare/?a={runs['tuned_recall']}&amp;b={runs['base_recall']}"

    assert "large can take the place of small." in page
    assert compared in page
    assert "/releases/support/?model=large&amp;action=promote" in page
    assert "small, with recall" in page
    gate = admin.get("/releases/support/?model=large&action=promote").content.decode()
    assert '<option value="promote" selected>' in gate


def test_a_wrong_replacement_comes_back_with_the_words(trainer):
    refused = trainer.post("/models/replace/", {"model": "small", "replacement": "@support"})

    assert refused.status_code == 422
    assert "not a name such as @support" in refused.content.decode()
    assert trainer.get("/models/replace/").status_code == 400
    assert trainer.get("/models/replacements/99/").status_code == 404
