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


def test_a_model_of_unknown_size_is_told_what_fits_into_the_least_of_them():
    room = prompting.room_for_history(
        None, question="q" * 400, system_prompt="s" * 400, max_tokens=None
    )

    # 4,096 less a tenth, 1,000 for the answer, 500 for examples, 101 for each text.
    assert room == 1_984


def test_a_long_question_leaves_an_unknown_model_what_every_model_takes():
    room = prompting.room_for_history(
        None, question="q" * 12_000, system_prompt="", max_tokens=None
    )

    assert room == prompting.HISTORY_TOKENS


def test_a_known_model_is_told_more_up_to_what_may_be_paid_for():
    rooms = [
        prompting.room_for_history(n, question="", system_prompt="", max_tokens=500)
        for n in (1_024, 8_192, 1_000_000)
    ]

    assert rooms == [0, 6_370, prompting.MOST_HISTORY_TOKENS]
