"""Which correction answers, which only helps, and which keeps quiet."""

import subprocess
import sys

import pytest

from trainerbot.conversation import Memory, Recall, Recalled

PLAN_A = Memory(1, "How much is plan A?", "Plan A is 5 euros.")
REFUND = Memory(2, "What is your refund policy?", "  Money back within 14 days.\n")
PASSWORD = Memory(3, "How do I reset my password?", "Press *Forgot*.")
FRANCE = Memory(4, "What is the capital of France?", "Paris.")
RETURNS = Memory(5, "Как вернуть товар?", "Почтой.")
ALL = Recall([PLAN_A, REFUND, PASSWORD, FRANCE, RETURNS])


@pytest.mark.parametrize(
    ("question", "memory"),
    [
        ("How much is plan A?", PLAN_A),
        ("how much is plan a", PLAN_A),
        ("hey, how much is plan A please", PLAN_A),
        ("WHAT'S YOUR REFUND POLICY??", REFUND),
        ("what is the refund polcy", REFUND),
        ("how can i reset my password", PASSWORD),
        ("How do I reset my pasword?", PASSWORD),
        ("как вернуть товар", RETURNS),
    ],
)
def test_the_question_of_a_correction_gets_its_words(question, memory):
    assert ALL.recall(question) == Recalled(verbatim=memory)


@pytest.mark.parametrize(
    "question",
    [
        "How much is plan B?",
        "how much is plan b",
        "How much is plan 2?",
        "How much is not plan A?",
        "What is the capital of Peru?",
        "what is the capital of new zealand",
    ],
)
def test_a_question_about_another_thing_gets_neither_words_nor_example(question):
    assert ALL.recall(question) == Recalled()


@pytest.mark.parametrize(
    ("question", "memory"),
    [
        ("how do refunds work", REFUND),
        ("i forgot my password, what now", PASSWORD),
        ("which city is france's capital", FRANCE),
        ("хочу сделать возврат товара", RETURNS),
    ],
)
def test_a_question_like_a_corrected_one_gets_it_as_an_example(question, memory):
    recalled = ALL.recall(question)

    assert recalled.verbatim is None
    assert recalled.examples[0][0] == memory
    assert 0.45 <= recalled.examples[0][1] <= 1


@pytest.mark.parametrize(
    "question", ["tell me a joke", "what time is it", "hello", "?", "", "какая погода"]
)
def test_a_stranger_gets_nothing(question):
    assert ALL.recall(question) == Recalled()


def test_the_newest_correction_of_a_question_wins_in_whatever_order_they_come():
    old = Memory(7, "When do you open?", "At nine.")
    new = Memory(9, "when do you open please", "At ten.")

    for memories in ([old, new], [new, old]):
        recall = Recall(memories)

        assert recall.recall("When do you open?").verbatim == new
        assert len(recall) == 1
        assert [memory for memory, _ in recall.recall("opening hours?").examples] in ([new], [])


def test_the_same_words_beat_a_newer_correction_that_is_a_slip_away():
    right = Memory(1, "How do I contact sales?", "Write to sales.")
    newer = Memory(2, "How do I contract sales?", "Ask the lawyers.")

    recall = Recall([right, newer])

    assert recall.recall("how do i contact sales").verbatim == right
    assert recall.recall("how do i contract sales").verbatim == newer


def test_no_more_than_three_examples_are_given_best_first():
    recall = Recall(
        [
            Memory(n, f"How do I reset the {thing} password in the app?", "So.")
            for n, thing in enumerate(("mail", "bank", "shop", "phone", "router"))
        ]
    )

    scores = [score for _, score in recall.recall("forgot my app password").examples]

    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)


def test_without_corrections_nothing_is_recalled():
    assert Recall([]).recall("anything") == Recalled()


def test_a_question_of_mere_punctuation_can_be_corrected():
    recall = Recall([Memory(1, "???", "Yes?")])

    assert recall.recall("???").verbatim is not None
    assert recall.recall("!") == Recalled()


def test_the_same_question_is_answered_without_loading_the_index():
    code = (
        "import sys; from trainerbot.conversation import Memory, Recall;"
        "assert Recall([Memory(1, 'Hi?', 'HI!')]).recall('hi').verbatim;"
        "assert not {'sklearn', 'numpy', 'openai'} & sys.modules.keys()"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=180)


def test_after_a_change_the_new_words_are_recalled_and_the_old_recall_stays_as_it_was():
    ill = Memory(50, "How do I report that I am ill?", "Call the front desk.")

    after = ALL.changed({50: ill})

    assert after.recall("how do i report that i am ill").verbatim == ill
    assert after.recall("How do I report that I am ill today?").examples[0][0] == ill
    assert ALL.recall("How do I report that I am ill?").verbatim is None


def test_a_correction_taken_out_of_force_is_forgotten_and_an_older_one_speaks_again():
    old, new = Memory(1, "When do you open?", "At nine."), Memory(2, "When do you open?", "At ten.")
    recall = Recall([old, new])
    recall.recall("opening hours")

    assert recall.changed({2: None}).recall("When do you open?").verbatim == old
    assert recall.changed({2: None}).recall("When do yuo open?") == Recall([old]).recall(
        "When do yuo open?"
    )
    assert recall.changed({2: None}).changed({1: None}).recall("When do you open?") == Recalled()
    assert len(recall.changed({1: None, 2: None})) == 0


def test_an_edited_answer_replaces_the_former_one_in_examples_too():
    recall = Recall([Memory(1, "How do I reset the password of my mail?", "Ask Ann.")])
    recall.recall("forgot the password of my mail")

    after = recall.changed({1: Memory(1, "How do I reset the password of my mail?", "Ask Bob.")})

    examples = after.recall("forgot my mail password, reset?").examples
    assert [memory.answer for memory, _ in examples] == ["Ask Bob."]


def test_many_changes_one_by_one_come_to_the_same_as_all_at_once(monkeypatch):
    monkeypatch.setattr("trainerbot.conversation.recall.MAX_LATE", 3)
    memories = [
        Memory(n, f"How do I reset the {thing} password in the app?", f"Like {n}.")
        for n, thing in enumerate(("mail", "bank", "shop", "phone", "router", "mail", "bank"))
    ]
    recall = Recall([])
    for memory in memories:
        recall = recall.changed({memory.id: memory})

    whole = Recall(memories)

    assert len(recall) == len(whole)
    for memory in memories:
        assert recall.recall(memory.question) == whole.recall(memory.question)
