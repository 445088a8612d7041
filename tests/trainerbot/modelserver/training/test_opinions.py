"""What is kept of the untouched model's opinion, and what only the learned tokens cost."""

import pytest

from tests.trainerbot.modelserver.training.tiny import greetings
from trainerbot.modelserver.trainers.task import Step

pytestmark = [pytest.mark.train, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def logits():
    """What a model thinks of three tokens, of a vocabulary of two hundred."""
    import torch

    return 4 * torch.randn(3, 200, generator=torch.Generator().manual_seed(1))


def test_the_likely_tokens_keep_their_share_and_the_others_have_the_rest(logits):
    import torch

    from trainerbot.modelserver.trainers.lora.opinions import opinion

    ids, logs = opinion(logits)

    exact = logits.log_softmax(-1)
    kept = torch.tensor(logs)
    assert kept.shape == (3, 65)
    assert torch.allclose(kept[:, :-1], exact.gather(-1, torch.tensor(ids)), atol=1e-5)
    assert torch.allclose(kept.exp().sum(-1), torch.ones(3))
    assert ids[0][0] == logits[0].argmax()


def test_a_small_vocabulary_leaves_one_token_to_the_rest():
    import torch

    from trainerbot.modelserver.trainers.lora.opinions import opinion

    ids, logs = opinion(torch.zeros(1, 4))

    assert (len(ids[0]), len(logs[0])) == (3, 4)


def test_drift_is_nothing_for_the_same_opinion_and_at_most_that_of_all_tokens(logits):
    import torch

    from trainerbot.modelserver.trainers.lora.opinions import drift, opinion

    ids, logs = (torch.tensor(each) for each in opinion(logits))
    other = logits + torch.randn(3, 200, generator=torch.Generator().manual_seed(2))
    whole = torch.nn.functional.kl_div(
        other.log_softmax(-1), logits.log_softmax(-1), log_target=True, reduction="sum"
    )

    assert drift(logits, ids, logs).item() == pytest.approx(0, abs=1e-5)
    assert 0.5 * whole < drift(other, ids, logs) <= whole


def test_the_loss_of_the_learned_tokens_alone_is_the_one_of_trl(trainer, monkeypatch):
    from trainerbot.modelserver.trainers.lora import trainers

    ours = [
        s for s in trainer(greetings(10), name="ours", valid_fraction=0.2) if isinstance(s, Step)
    ]
    # No batch is small enough then.
    monkeypatch.setattr(trainers, "_MANY_LOGITS", 0)
    theirs = [
        s for s in trainer(greetings(10), name="trl", valid_fraction=0.2) if isinstance(s, Step)
    ]

    for one, other in zip(ours, theirs, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, abs=1e-4)
        assert one.valid_loss == pytest.approx(other.valid_loss, abs=1e-4)
        assert one.train_mean_token_accuracy == pytest.approx(other.train_mean_token_accuracy)
