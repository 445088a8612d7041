"""What the model is given to read."""

from trainerbot.conversation import Memory, prompting
from trainerbot.messages import ChatMessage, Role


def said(*texts: str) -> list[ChatMessage]:
    """Return turns, the user's first."""
    return [
        ChatMessage((Role.USER, Role.ASSISTANT)[index % 2], text)
        for index, text in enumerate(texts)
    ]


def test_instructions_examples_history_and_question_come_in_this_order():
    examples = [(Memory(8, "best?", "Best."), 0.9), (Memory(9, "good?", "Good."), 0.6)]

    messages, shown = prompting.build(
        "now?", history=said("before?", "Before."), system_prompt="Be kind.", examples=examples
    )

    assert messages == [
        ChatMessage(Role.SYSTEM, "Be kind."),
        *said("good?", "Good.", "best?", "Best.", "before?", "Before.", "now?"),
    ]
    assert shown == (8, 9)


def test_no_instructions_make_no_message():
    messages, shown = prompting.build("now?", history=[], system_prompt=" \n")

    assert messages == said("now?")
    assert shown == ()


def test_the_newest_turns_stay_within_the_budget():
    half = "x" * (prompting.HISTORY_TOKENS * 4 // 2)
    history = said("old?", half, "mid?", half[:-20], "new?", "New.")

    messages, _ = prompting.build("now?", history=history, system_prompt="")

    assert messages == [*history[2:], *said("now?")]


def test_history_never_begins_with_an_answer():
    history = said("q" * prompting.HISTORY_TOKENS * 4, "Answer.", "new?", "New.")

    messages, _ = prompting.build("now?", history=history, system_prompt="")

    assert messages == said("new?", "New.", "now?")


def test_a_turn_larger_than_the_budget_leaves_the_question_alone():
    history = said("old?", "x" * (prompting.HISTORY_TOKENS * 4 + 1))

    messages, _ = prompting.build("now?", history=history, system_prompt="")

    assert messages == said("now?")


def test_an_example_that_does_not_fit_is_left_out_whole():
    long = Memory(1, "long?", "x" * prompting.EXAMPLE_CHARACTERS)
    short = Memory(2, "short?", "Short.")

    messages, shown = prompting.build(
        "now?", history=[], system_prompt="", examples=[(long, 0.9), (short, 0.5)]
    )

    assert messages == said("short?", "Short.", "now?")
    assert shown == (2,)
