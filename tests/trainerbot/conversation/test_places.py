"""Corrections that count in one place alone."""

import pytest

from trainerbot.conversation import Memory, Place, Recall

EVERYWHERE = Memory(1, "When do you open?", "At nine.")
IN_GUILD = Memory(2, "When do you open?", "At ten.", guild_id=7)
IN_CHANNEL = Memory(3, "When do you open?", "At noon.", guild_id=7, channel_id=70)
ELSEWHERE = Memory(4, "When do you open?", "Never.", guild_id=8)
LATER = Memory(5, "when do you open please", "At eight.")
HERE = Place(7, (70,))


@pytest.mark.parametrize("order", [1, -1])
def test_the_narrowest_place_is_heard_and_of_one_place_the_newest(order):
    memories = [EVERYWHERE, IN_GUILD, IN_CHANNEL, ELSEWHERE, LATER][::order]
    recall = Recall(memories)

    assert recall.recall("When do you open?", HERE).verbatim == IN_CHANNEL
    assert recall.recall("When do you open?", Place(7, (71,))).verbatim == IN_GUILD
    assert recall.recall("When do you open?", Place(8, (80,))).verbatim == ELSEWHERE
    assert recall.recall("When do you open?", Place(9, (90,))).verbatim == LATER
    assert recall.recall("When do you open?").verbatim == LATER


@pytest.mark.parametrize(
    "question",
    ["Where is the club house?", "where is the club huose", "the club house, where is it"],
)
def test_neither_words_nor_example_leave_their_guild(question):
    secret = Memory(1, "Where is the club house?", "Behind the mill.", guild_id=7)
    recall = Recall([secret, *(Memory(n, f"Where is room {n}?", "There.") for n in range(2, 9))])

    at_home, abroad = recall.recall(question, HERE), recall.recall(question, Place(8, (80,)))

    assert at_home.verbatim == secret or at_home.examples[0][0] == secret
    for found in (abroad, recall.recall(question), recall.recall(question, Place(None, (70,)))):
        assert found.verbatim is None
        assert secret not in [memory for memory, _ in found.examples]


def test_a_thread_hears_its_channel_and_itself_first():
    thread = Memory(4, "When do you open?", "In the thread at one.", guild_id=7, channel_id=700)
    recall = Recall([IN_CHANNEL, thread])

    assert recall.recall("When do you open?", Place(7, (700, 70))).verbatim == thread
    assert recall.recall("When do you open?", Place(7, (701, 70))).verbatim == IN_CHANNEL


def test_an_example_of_a_narrower_place_silences_the_wider_one():
    recall = Recall([EVERYWHERE, IN_GUILD])

    found = recall.recall("at what time do you open", Place(7, ()))

    assert [memory for memory, _ in found.examples] == [IN_GUILD]


def test_a_correction_that_moves_is_heard_at_its_new_place_only():
    recall = Recall([EVERYWHERE]).changed({1: Memory(1, "When do you open?", "At nine.", 8)})

    assert recall.recall("When do you open?", HERE).verbatim is None
    assert recall.recall("at what time do you open", HERE).examples == ()
    assert recall.recall("When do you open?", Place(8, ())).verbatim is not None
