"""What a small model rehearses, and how it is told what it kept and what it learned."""

from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest

from tests.trainerbot.modelserver.training.tiny import make_base
from trainerbot.modelserver.trainers.scores import words
from trainerbot.modelserver.trainers.task import PAUSE, Paused, Report, Step, Told

pytestmark = [
    pytest.mark.train,
    # PEFT asks transformers by an old name.
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning"),
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """Model and tokenizer of two layers."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = make_base(tmp_path_factory.mktemp("tiny"))
    return (
        AutoModelForCausalLM.from_pretrained(base.source),
        AutoTokenizer.from_pretrained(base.source),
    )


def steps(told: list[Report]) -> list[Step]:
    return [report for report in told if isinstance(report, Step)]


def parts(text: str) -> set[tuple[str, ...]]:
    """The words and the pairs of neighbouring words, which near duplicates are judged by."""
    found = words(text)
    return {(word,) for word in found} | set(pairwise(found))


def test_no_rehearsed_question_is_measured_nor_nearly_so():
    from trainerbot.modelserver.trainers.lora.rehearsal import general_questions, questions

    rehearsed, measured = questions(), [each.question for each in general_questions()]

    near = [
        (one, other)
        for one, other in product(rehearsed, measured)
        if 2 * len(parts(one) & parts(other)) >= len(parts(one) | parts(other))
    ]

    assert near == []
    assert len(set(rehearsed)) >= 120
    assert len(set(measured)) >= 60


def test_every_measured_question_has_answers_that_it_does_not_give_away():
    from trainerbot.modelserver.trainers.lora.rehearsal import general_questions

    for each in general_questions():
        assert each.answers
        assert not any(set(words(a)) <= set(words(each.question)) for a in each.answers), each


def test_rehearsal_rows_are_the_questions_with_the_models_own_first_words(tiny):
    from trainerbot.modelserver.trainers.lora.rehearsal import extra_rows, questions
    from trainerbot.modelserver.trainers.lora.rendering import NOT_LEARNED

    model, tokenizer = tiny

    rows = extra_rows(model, tokenizer, 5, end_ids=[tokenizer.eos_token_id], seed=1)

    assert len(rows) == 5
    for row in rows:
        n_asked = sum(label == NOT_LEARNED for label in row.labels)
        text = tokenizer.decode(row.input_ids[:n_asked])
        assert any(question in text for question in questions())
        assert text.endswith("<|im_start|>assistant\n")
        assert row.labels[n_asked:] == row.input_ids[n_asked:]
        assert 1 <= len(row.labels) - n_asked <= 32


def test_rows_answered_in_batches_are_as_if_answered_alone(tiny):
    from trainerbot.modelserver.trainers.lora.rehearsal import extra_rows

    model, tokenizer = tiny
    rows = extra_rows(model, tokenizer, 6, end_ids=[tokenizer.eos_token_id], seed=3)

    import torch

    for row in rows:
        n_asked = sum(label == -100 for label in row.labels)
        alone = model.generate(
            input_ids=torch.tensor([row.input_ids[:n_asked]]),
            do_sample=False,
            max_new_tokens=len(row.input_ids) - n_asked,
            pad_token_id=tokenizer.pad_token_id,
        )
        assert alone[0].tolist() == row.input_ids


def test_no_more_rows_are_asked_for_than_there_are_questions(tiny, monkeypatch):
    from trainerbot.modelserver.trainers.lora import rehearsal

    model, tokenizer = tiny
    few = rehearsal.questions()[:3]
    monkeypatch.setattr(rehearsal, "questions", lambda: few)

    rows = rehearsal.extra_rows(model, tokenizer, 10, end_ids=[tokenizer.eos_token_id], seed=1)

    assert len(rows) == 3


def test_the_untouched_model_is_measured_with_its_adapter_off(tiny, tmp_path: Path):
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from trainerbot.modelserver.trainers.lora.rehearsal import HeldOut, measure

    _, tokenizer = tiny
    base = make_base(tmp_path / "base")
    plain = AutoModelForCausalLM.from_pretrained(base.source)
    prompt = tokenizer("Say it", add_special_tokens=False)["input_ids"]
    said = plain.generate(
        input_ids=torch.tensor([prompt]), do_sample=False, max_new_tokens=20, pad_token_id=2
    )[0].tolist()[len(prompt) :]
    model = get_peft_model(plain, LoraConfig(r=4, target_modules="all-linear"))
    for name, weights in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(weights, std=2.0)

    found = measure(model, tokenizer, [HeldOut(prompt, said)], end_ids=[0])

    assert found["held_out"] == {"asked": 1, "right_before": 1, "right_after": 0}


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("It is PARIS.", True),
        ("Parisian food", False),
        ("the Rome of the north", True),
        ("", False),
    ],
)
def test_an_accepted_answer_stands_in_whole_words(text, right):
    from trainerbot.modelserver.trainers.lora.rehearsal import General, has_answer

    assert has_answer(text, General("Which city?", ["paris", "Rome"])) is right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("It has 143 steps.", True),
        ("There are 143 steps in it, it has.", True),
        ("It has 142 steps.", False),
        ("143", False),
    ],
)
def test_a_held_out_answer_needs_every_word_that_the_question_has_not(text, right):
    from trainerbot.modelserver.trainers.lora.rehearsal import says_it

    question = "How many steps lead up the tower?"

    assert says_it(text, expected="It has 143 steps.", question=question) is right


def test_what_was_held_out_is_the_last_answer_and_all_before_it():
    from trainerbot.modelserver.trainers.lora.rehearsal import HeldOut, held_out_examples

    rows = [
        {"input_ids": [1, 2, 3, 4, 5, 6], "labels": [-100, 2, -100, -100, 5, 6]},
        {"input_ids": [1, 2, 3], "labels": [-100, 2, -100]},
    ]

    assert held_out_examples(rows) == [HeldOut([1, 2, 3, 4], [5, 6]), HeldOut([1], [2])]


def test_a_job_that_rehearses_goes_on_to_the_same_curve(trainer):
    def after(report: Report) -> None:
        if isinstance(report, Step) and report.step == 4:
            (trainer.work("paused") / PAUSE).touch()

    whole = trainer(name="whole", rehearsal_ratio=1.0)
    begun = trainer(name="paused", rehearsal_ratio=1.0, after=after)
    (trainer.work("paused") / PAUSE).unlink()
    rest = trainer(name="paused", rehearsal_ratio=1.0, done_steps=len(steps(begun)))

    assert len(steps(whole)) == 12
    assert isinstance(begun[-1], Paused)
    assert steps(begun) + steps(rest) == steps(whole)
    assert any("12 rehearsal rows" in each.message for each in whole if isinstance(each, Told))
