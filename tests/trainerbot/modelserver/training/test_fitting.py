"""How a step is divided where memory is small, and that nothing is lost by it."""

import pytest

from tests.trainerbot.modelserver.training.tiny import greetings, pair
from trainerbot.modelserver.trainers.task import Step

pytestmark = [pytest.mark.train, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def small():
    """A model of SmolLM2's shape, without its weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=49_152,
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=30,
        num_attention_heads=9,
        num_key_value_heads=3,
        tie_word_embeddings=True,
    )
    with torch.device("meta"):
        return LlamaForCausalLM(config)


@pytest.mark.parametrize(
    ("batch_size", "longest_tokens", "n_rows", "n_times", "recomputes"),
    [
        (4, 64, 4, 1, False),
        (4, 300, 2, 2, False),
        (5, 300, 1, 5, False),
        (4, 2048, 1, 4, True),
        (1, 4096, 1, 1, True),
    ],
)
def test_a_cpu_takes_as_many_rows_at_a_time_as_a_small_machine_holds(
    small, batch_size, longest_tokens, n_rows, n_times, recomputes
):
    from trainerbot.modelserver.trainers.lora.fitting import Fit, fit

    found = fit(batch_size, model=small, longest_tokens=longest_tokens, on_gpu=False)

    assert found == Fit(n_rows, n_times, recomputes)


def test_a_gpu_takes_all_rows_at_once(small):
    from trainerbot.modelserver.trainers.lora.fitting import Fit, fit

    assert fit(4, model=small, longest_tokens=2048, on_gpu=True) == Fit(4, 1, False)


@pytest.mark.parametrize(
    ("method", "rehearsal_ratio"), [("supervised", 0.0), ("supervised", 0.5), ("dpo", 0.0)]
)
def test_a_step_in_pieces_is_the_same_step(trainer, monkeypatch, method, rehearsal_ratio):
    from trainerbot.modelserver.trainers.lora import fitting

    rows = greetings(10)
    if method == "dpo":
        rows = [pair(f"Say {place}", f"Yes, {place}.", "No way, sir") for place in range(10)]

    def curve(name: str) -> list[Step]:
        told = trainer(rows, name=name, method=method, rehearsal_ratio=rehearsal_ratio)
        return [each for each in told if isinstance(each, Step)]

    whole = curve("whole")
    monkeypatch.setattr(fitting, "_ROOM_BYTES", 0)
    divided = curve("divided")

    assert len(divided) == len(whole)
    for one, other in zip(divided, whole, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, abs=1e-4)
        assert one.reward_margin == pytest.approx(other.reward_margin, abs=1e-4)
