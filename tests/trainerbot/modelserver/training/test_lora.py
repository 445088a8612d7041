"""Training a tiny model by LoRA: what is told, what is kept, and what survives."""

import math
from pathlib import Path

import pytest

from tests.trainerbot.modelserver.training.conftest import Trainer
from tests.trainerbot.modelserver.training.tiny import chat, greetings, pair
from trainerbot.modelserver.trainers.task import (
    PAUSE,
    Done,
    Paused,
    Plan,
    Report,
    Saved,
    Step,
    Told,
)

# What the libraries say of their own next versions is not ours to mend.
pytestmark = [pytest.mark.train, pytest.mark.filterwarnings("ignore")]


def steps(told: list[Report]) -> list[Step]:
    return [report for report in told if isinstance(report, Step)]


def saved(told: list[Report]) -> list[Saved]:
    return [report for report in told if isinstance(report, Saved)]


@pytest.fixture(scope="module")
def whole(base, tmp_path_factory) -> list[Report]:
    """What a job tells that nothing ever stops."""
    return Trainer(base, tmp_path_factory.mktemp("whole"))(valid_fraction=0.2, n_epochs=3)


class Killed(Exception):
    """Stands for kill -9: nothing of the trainer's runs after it."""


def killed_at(n_reports: int):
    heard = []

    def after(report: Report) -> None:
        heard.append(report)
        if len(heard) == n_reports:
            raise Killed

    return after


def test_a_job_tells_its_plan_its_steps_its_checkpoints_and_its_end(trainer):
    told = trainer(valid_fraction=0.25, n_epochs=3)

    plan, *rest = told
    assert isinstance(plan, Plan)
    assert plan.hyperparameters["learning_rate_multiplier"] == 5.0
    assert plan.hyperparameters["max_tokens_per_example"] == 256
    assert [step.step for step in steps(told)] == [*range(1, 10)]
    assert all(step.total_steps == 9 for step in steps(told))
    assert [step.step for step in steps(told) if step.valid_loss is not None] == [3, 6, 9]
    assert [model.metrics.step for model in saved(told)] == [3, 6, 9]
    assert steps(told)[-1].train_loss < steps(told)[0].train_loss
    assert isinstance(rest[-1], Done)


def test_trained_tokens_are_those_of_the_rows_as_often_as_they_were_trained_on(trainer):
    row = chat("a", "b")  # <|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>

    told = trainer([row] * 10, n_epochs=3, batch_size=5)

    assert told[-1].trained_tokens == 3 * 10 * (1 + 5 + 1 + 1 + 1 + 1 + 10 + 1 + 1)


def test_every_checkpoint_is_a_model_without_a_path_or_a_pickle(trainer, base):
    told = trainer()

    for model in saved(told):
        folder = Path(model.folder)
        assert {path.name for path in folder.iterdir()} == {
            "adapter_config.json",
            "adapter_model.safetensors",
            "adapter.gguf",
        }
        assert str(folder.parent.parent) not in (folder / "adapter_config.json").read_text()
        assert '"base_model_name_or_path": "tiny"' in (folder / "adapter_config.json").read_text()
    assert list(trainer.work().rglob("*.bin")) == []


def test_the_same_seed_and_rows_give_the_same_curve(trainer):
    assert steps(trainer(name="one")) == steps(trainer(name="two"))


@pytest.mark.parametrize("pause_at", [1, 5, 8])
def test_a_paused_job_goes_on_to_the_same_curve(trainer, whole, pause_at):
    def after(report: Report) -> None:
        if isinstance(report, Step) and report.step == pause_at:
            (trainer.work() / PAUSE).touch()

    begun = trainer(after=after, valid_fraction=0.2, n_epochs=3)
    (trainer.work() / PAUSE).unlink()
    rest = trainer(done_steps=len(steps(begun)), valid_fraction=0.2, n_epochs=3)

    assert isinstance(begun[-1], Paused)
    assert len(steps(begun)) == pause_at + 1
    assert steps(begun) + steps(rest) == steps(whole)
    assert isinstance(rest[-1], Done)


# Before the first step, at it, between checkpoints, at the end.
@pytest.mark.parametrize("n_reports", [1, 3, 9, 15])
def test_a_killed_job_goes_on_to_the_same_curve_and_loses_nothing(trainer, whole, n_reports):
    with pytest.raises(Killed):
        trainer(after=killed_at(n_reports), valid_fraction=0.2, n_epochs=3)
    rest = trainer(valid_fraction=0.2, n_epochs=3)

    # What was not acknowledged is told again, and the server keeps it once.
    assert steps(rest) == steps(whole)
    assert rest[-1].trained_tokens == whole[-1].trained_tokens


def test_what_the_server_has_is_not_told_again(trainer):
    told = trainer(n_epochs=2)

    with pytest.raises(Killed):
        trainer(name="other", after=killed_at(len(told)), n_epochs=2)
    rest = trainer(name="other", done_steps=6, done_checkpoints=[3, 6], n_epochs=2)

    assert (steps(rest), saved(rest)) == ([], [])
    assert isinstance(rest[-1], Done)


def test_an_end_that_the_server_did_not_hear_is_told_again_with_all_that_led_to_it(trainer):
    whole = trainer(n_epochs=2)

    rest = trainer(done_steps=2, done_checkpoints=[], n_epochs=2)

    assert steps(rest) == steps(whole)[2:]
    assert [model.metrics.step for model in saved(rest)] == [3, 6]
    assert rest[-1] == whole[-1]


def test_a_checkpoint_that_was_not_heard_of_is_told_again(trainer):
    with pytest.raises(Killed):
        trainer(after=lambda report: killed_at(1)(report) if isinstance(report, Saved) else None)

    rest = trainer(done_steps=3)

    assert [model.metrics.step for model in saved(rest)] == [3, 6]


def test_a_half_written_checkpoint_is_no_checkpoint(trainer):
    with pytest.raises(Killed):
        trainer(after=killed_at(6), n_epochs=3)
    half = trainer.work() / "state" / "checkpoint-999"
    half.mkdir()
    (half / "adapter_model.safetensors").write_bytes(b"half")

    assert isinstance(trainer(n_epochs=3)[-1], Done)
    assert not half.exists()


def test_only_as_much_state_as_is_needed_stays_on_the_disk(trainer):
    trainer(n_epochs=6)

    assert len(list((trainer.work() / "state").iterdir())) == 2


def test_training_stops_early_and_keeps_the_best_model(trainer):
    # What is held out contradicts what is learned, so its loss soon grows.
    rows = [chat("Say", "yes yes yes")] * 10

    told = trainer(
        rows,
        valid=[chat("Say", "QQQQQQ")],
        n_epochs=20,
        learning_rate_multiplier=200.0,
        early_stopping_patience=2,
    )

    measured = [step for step in steps(told) if step.valid_loss is not None]
    best = min(measured, key=lambda step: step.valid_loss)
    assert len(measured) == measured.index(best) + 3 < 20
    assert f"the model of step {best.step}" in next(
        report.message for report in told if isinstance(report, Told) and report.key == "early-stop"
    )
    final = Path(told[-1].folder) / "adapter_model.safetensors"
    kept = trainer.work() / f"best-{best.step}" / "adapter_model.safetensors"
    assert final.read_bytes() == kept.read_bytes()


def test_a_loss_that_is_no_number_ends_the_job_in_words(trainer):
    from trainerbot.modelserver.trainers.lora.faults import Diverged, refusal

    with pytest.raises(Diverged) as caught:
        trainer(learning_rate_multiplier=1e300, n_epochs=9)

    refused = refusal(caught.value)
    assert refused is not None
    assert refused.code == "training_diverged"
    assert "learning_rate_multiplier" in refused.message


def test_a_full_disk_ends_the_job_in_words(trainer):
    import resource

    from trainerbot.modelserver.trainers.lora.faults import refusal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def after(report: Report) -> None:
        if isinstance(report, Step):
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))

    try:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - each library has its own
            trainer(after=after)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    refused = refusal(caught.value)
    assert refused is not None
    assert refused.code == "insufficient_storage"


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")]
)
def test_too_little_memory_ends_the_job_in_words(error):
    from trainerbot.modelserver.trainers.lora.faults import refusal

    refused = refusal(error)

    assert refused is not None
    assert (refused.code, "batch_size" in refused.message) == ("out_of_memory", True)


def test_a_file_with_nothing_to_learn_ends_the_job_in_words(trainer):
    from trainerbot.modelserver.trainers.lora.faults import refusal
    from trainerbot.modelserver.trainers.lora.preparing import NothingToLearn

    with pytest.raises(NothingToLearn) as caught:
        trainer([chat("Say", "It.", weight=0)] * 10)

    refused = refusal(caught.value)
    assert refused is not None
    assert (refused.code, refused.param) == ("invalid_training_file", "training_file")
    assert "No row has a token to learn" in refused.message


def test_rows_that_are_too_long_or_say_nothing_are_counted_and_told(trainer):
    rows = [*greetings(10), chat("Say much", "word " * 200), chat("Say", "no", weight=0)]

    told = trainer(rows, max_tokens_per_example=64)

    messages = {report.key: report.message for report in told if isinstance(report, Told)}
    assert messages["truncated:training"].startswith("1 rows of the training file are longer")
    assert messages["left-out:training"].startswith("1 rows of the training file are left out")
    assert messages["plan"].startswith("Training on 11 examples")


def test_fifty_preferences_raise_margin_and_accuracy(trainer):
    rows = [pair(f"Say {place}", f"Yes, {place}.", "No way, sir") for place in range(50)]

    told = trainer(rows, method="dpo", batch_size=10, learning_rate_multiplier=500.0)

    first, last = steps(told)[0], steps(told)[-1]
    assert (first.reward_margin, first.train_loss) == (0.0, pytest.approx(math.log(2), abs=1e-3))
    assert last.reward_margin > 0.3
    assert last.reward_accuracy == 1.0
    assert (last.valid_reward_margin or 0) > 0.3
    assert last.valid_loss < math.log(2)


def test_preferences_paused_go_on_to_the_same_curve(trainer):
    rows = [pair(f"Say {place}", f"Yes, {place}.", "No way, sir") for place in range(12)]
    whole = trainer(rows, name="whole", method="dpo")

    def after(report: Report) -> None:
        if isinstance(report, Step) and report.step == 2:
            (trainer.work() / PAUSE).touch()

    begun = trainer(rows, method="dpo", after=after)
    (trainer.work() / PAUSE).unlink()
    rest = trainer(rows, method="dpo", done_steps=3)

    assert steps(begun) + steps(rest) == steps(whole)
