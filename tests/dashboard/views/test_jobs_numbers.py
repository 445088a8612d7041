"""The numbers of a new fine-tune: those of its method, checked before anything is asked."""

import re

import pytest

from dashboard.models import FineTuneJob
from tests.factories import DatasetVersionFactory

pytestmark = pytest.mark.django_db
CHOICES = "/fine-tuning/new/choices/"


def names(response) -> tuple[list[str], list[str]]:
    """What is asked for at first, and what under "Advanced"."""
    found = response.context
    return [each.name for each in found["plain"]], [each.name for each in found["advanced"]]


def test_each_method_asks_for_its_own_numbers(trainer, endpoint):
    endpoint.models[0]["fine_tune_methods"] = ["knn", "supervised", "dpo"]

    asked = {
        method: names(trainer.get(CHOICES, {"method": method}))
        for method in ("knn", "supervised", "dpo")
    }

    assert asked["knn"][0] == []
    assert "n_neighbors" in asked["knn"][1]
    assert asked["supervised"][0] == ["n_epochs", "batch_size", "learning_rate_multiplier"]
    assert asked["supervised"][1][-2:] == ["rehearsal_ratio", "seed"]
    assert asked["dpo"][0][-1] == "beta"
    assert "lora_rank" in asked["dpo"][1]


def test_an_endpoint_that_is_not_ours_is_asked_only_for_what_openai_has(trainer, endpoint):
    assert names(trainer.get(CHOICES, {"method": "supervised"})) == (
        ["n_epochs", "batch_size", "learning_rate_multiplier"],
        ["seed"],
    )


def test_what_was_given_is_sent_and_auto_is_not(trainer, endpoint):
    version = DatasetVersionFactory()

    trainer.post(
        "/fine-tuning/new/",
        {
            "dataset": version.dataset_id,
            "base_model": "tiny-chat",
            "method": "supervised",
            "n_epochs": "auto",
            "batch_size": "8",
            "learning_rate_multiplier": "0.5",
            "lora_rank": "",
            "beta": "-1",  # another method's
            "seed": "42",
        },
    )

    job = FineTuneJob.objects.get()
    assert job.hyperparameters == {"batch_size": 8, "learning_rate_multiplier": 0.5}
    assert job.seed == 42


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("n_epochs", "NaN", "Write a whole number such as 3"),
        ("batch_size", "-3", "Choose a number from 1 to 256."),
        ("learning_rate_multiplier", "1e300", "Choose a number from 0.0001 to 10,000."),
        ("lora_rank", "many", "Write a whole number such as 3"),
        ("seed", "-1", "greater than or equal to 0"),
    ],
)
def test_a_number_that_is_none_is_refused_beside_its_field(trainer, endpoint, name, typed, words):
    endpoint.models[0]["fine_tune_methods"] = ["supervised"]
    sent = {
        "dataset": DatasetVersionFactory().dataset_id,
        "base_model": "tiny-chat",
        "method": "supervised",
        name: typed,
    }

    response = trainer.post("/fine-tuning/new/", sent)
    fields = trainer.get(CHOICES, sent).content.decode()

    assert response.status_code == 422
    assert words in response.content.decode()
    assert re.search(
        rf'<input type="hidden" name="{name}" value="{typed}">', response.content.decode()
    )
    assert words in fields
    assert f'value="{typed}"' in fields
    assert ("<details" in fields and " open>" in fields) == (name in ("lora_rank", "seed"))
    assert not FineTuneJob.objects.exists()
