"""From figures to one sentence."""

import pytest

from trainerbot.judging.collapse import Heard
from trainerbot.judging.verdict import (
    KEEP,
    PROMOTE,
    REFUSE,
    Difference,
    Effort,
    Figures,
    decide,
    decide_replacement,
    weighed,
)

HEARD = Heard(20)


def figures(
    name: str = "General v1",
    *,
    base: float = 0.5,
    base_recall: float = 0.5,
    tuned: float = 0.5,
    tuned_recall: float = 0.5,
    sure: bool = True,
    **more: object,
) -> Figures:
    spread = 0.01 if sure else 1.0
    alone, recalled = tuned - base, tuned_recall - base_recall
    return Figures(
        name=name,
        is_taught=name.startswith("Corrections"),
        n=100,
        base=base,
        base_recall=base_recall,
        tuned=tuned,
        tuned_recall=tuned_recall,
        alone=Difference(alone, alone - spread, alone + spread),
        recalled=Difference(recalled, recalled - spread, recalled + spread),
        **more,
    )


def test_a_clear_gain_as_people_meet_it_is_promoted():
    found = decide("ft:x", [figures(tuned_recall=0.7)], margin=2, heard=HEARD)

    assert found.decision == PROMOTE
    assert found.sentence == (
        "Promote ft:x: on General v1 it answers 70 % rightly with recall and 50 % without, "
        "its base model 50 % and 50 %."
    )


def test_the_largest_gain_is_the_one_that_is_told():
    found = decide(
        "ft:x",
        [figures("Rivers", tuned_recall=0.6), figures("Lakes", tuned_recall=0.9)],
        margin=2,
        heard=HEARD,
    )

    assert "on Lakes" in found.sentence
    assert len(found.reasons) == 2


def test_a_gain_that_chance_could_have_made_is_none():
    found = decide("ft:x", [figures(tuned_recall=0.6, sure=False)], margin=2, heard=HEARD)

    assert found.decision == KEEP
    assert found.sentence.startswith("No gain: keep recall.")


def test_a_gain_without_recall_alone_is_none_as_recall_gives_it_already():
    taught = figures("Corrections v1", base=0.1, tuned=0.9, base_recall=1.0, tuned_recall=1.0)

    assert decide("ft:x", [taught], margin=2, heard=HEARD).decision == KEEP


@pytest.mark.parametrize("lost", [{"tuned": 0.45}, {"tuned_recall": 0.45}])
def test_a_model_that_forgot_more_than_the_margin_is_refused_whatever_it_learnt(lost):
    learnt = figures("Corrections v1", tuned_recall=0.9)

    found = decide("ft:x", [learnt, figures(**lost)], margin=2, heard=HEARD)

    assert found.decision == REFUSE
    assert "it forgot: on General v1" in found.sentence
    assert decide("ft:x", [learnt, figures(**lost)], margin=10, heard=HEARD).decision == PROMOTE


def test_a_model_that_loses_a_correction_is_refused_also_within_the_margin():
    lost = figures("Corrections v1", base_recall=1.0, tuned_recall=0.99)

    found = decide("ft:x", [lost], margin=50, heard=HEARD)

    assert found.decision == REFUSE
    assert "with recall it answers 99 % of Corrections v1 rightly, its base model 100 %" in (
        found.sentence
    )


def test_a_model_that_says_one_thing_to_everything_is_refused():
    found = decide("ft:x", [figures(tuned_recall=0.9)], margin=100, heard=Heard(20, 12))

    assert found.decision == REFUSE
    assert "one and the same wrong answer to 12 of 20 different questions" in found.sentence


def test_what_was_asked_too_little_is_not_promoted():
    found = decide("ft:x", [figures(tuned_recall=0.9)], margin=100, heard=Heard(3))

    assert found.decision == REFUSE
    assert "3 different questions are too few to see whether it forgot" in found.sentence


@pytest.mark.parametrize(
    ("effort", "said"),
    [
        (Effort(), ("", "")),
        (Effort(price=1.2, time=0.9), ("", "")),
        (Effort(price=3.0), ("costs 3 times as much", "")),
        (Effort(price=3.0, time=2.5), ("costs 3 times as much and takes 2.5 times as long", "")),
        (Effort(price=2.04), ("costs twice as much", "")),
        (Effort(time=9.97, ms=5000), ("takes 10 times as long", "")),
        (Effort(time=1234.5), ("takes about 1,200 times as long", "")),
        (Effort(price=0.4), ("", "costs about a third as much")),
        (Effort(price=0.6), ("", "costs about two thirds as much")),
        (Effort(price=0.001), ("", "costs less than a twentieth as much")),
        (Effort(price=0.0), ("", "costs nothing")),
        (Effort(price=2.0, time=0.5), ("costs twice as much", "takes about half the time")),
        (Effort(time=0.35, ms=900), ("", "takes about a third of the time")),
        (Effort(time=0.001, ms=900), ("", "takes less than a twentieth of the time")),
        (Effort(time=0.0, ms=2), ("", "answers at once")),
        (
            Effort(price=0.1, time=0.0, ms=0),
            ("", "costs about a tenth as much and answers at once"),
        ),
    ],
)
def test_what_it_takes_more_or_less_of_is_said_as_a_person_would_where_it_is_much(effort, said):
    assert weighed(effort) == said


@pytest.mark.parametrize("tuned_recall", [0.5, 0.7], ids=["no gain", "a gain"])
def test_what_it_takes_is_said_once(tuned_recall):
    at_once = Effort(time=0.0, ms=2)

    found = decide(
        "ft:x", [figures(tuned_recall=tuned_recall)], margin=2, heard=HEARD, effort=at_once
    )

    whole = "\n".join([found.sentence, *found.reasons])
    assert whole.lower().count("it answers at once") == 1


def test_what_speaks_for_a_dearer_one_is_still_said():
    found = decide("ft:x", [figures()], margin=2, heard=HEARD, effort=Effort(price=2.0, time=0.5))

    assert found.sentence.endswith("but costs twice as much.")
    assert found.reasons[-1] == "it takes about half the time."


def test_what_a_replacement_takes_is_said_once():
    at_once = Effort(time=0.0, ms=2)

    found = decide_replacement("new", "old", [figures()], margin=2, heard=HEARD, effort=at_once)

    assert found.sentence.endswith("it is no worse, and answers at once.")
    assert not any("at once" in reason for reason in found.reasons)


def test_as_good_but_dearer_is_said_so():
    verdict = decide("ft:x", [figures()], margin=2, heard=HEARD, effort=Effort(price=3.0))

    assert verdict.decision == "keep recall"
    assert verdict.sentence.endswith("its base model, but costs 3 times as much.")


def test_as_good_and_much_cheaper_leaves_the_choice_to_a_person():
    verdict = decide("ft:x", [figures()], margin=2, heard=HEARD, effort=Effort(price=0.4))

    assert verdict.decision == "keep recall"
    assert (
        "It costs about a third as much, which may be reason enough to promote it."
        in verdict.sentence
    )


def test_a_replacement_need_only_be_no_worse():
    verdict = decide_replacement(
        "new", "old", [figures()], margin=2, heard=HEARD, effort=Effort(time=2.0)
    )

    assert verdict.decision == "promote"
    assert verdict.sentence == (
        "new can take the place of old: on these tests it is no worse, but takes twice as long."
    )
