"""What is told of one model: what it knows alone, beside its base model."""

import pytest
from django.utils.timezone import now

from dashboard.models import Verdict, VerdictRun
from dashboard.services import proofs, releases, suites
from dashboard.services.proofs import drawing
from tests.dashboard.proofs.making import was_asked
from tests.factories import (
    AliasFactory,
    CorrectionFactory,
    DiscordChannelFactory,
    DiscordGuildFactory,
    FineTuneJobFactory,
    LessonFactory,
    PlaceSettingsFactory,
    SuiteRunFactory,
    TaskFactory,
    TrainingFactory,
    UserFactory,
)
from trainerbot.errors import NotFound

pytestmark = pytest.mark.django_db
BASE, TUNED = "small", "ft:small:faq"


@pytest.fixture
def taught():
    return [CorrectionFactory(approved=True) for _ in range(4)]


@pytest.fixture
def job():
    return FineTuneJobFactory(succeeded=True, base_model=BASE, fine_tuned_model=TUNED)


def test_a_model_that_no_row_knows_is_not_found():
    with pytest.raises(NotFound, match="list of models"):
        proofs.of_model("nobody")
    with pytest.raises(NotFound):
        proofs.of_model("")


def test_a_model_without_a_test_claims_nothing(job):
    proof = proofs.of_model(TUNED)

    assert proof.headline == "Not tested on what people taught yet"
    assert (proof.test, proof.learned, proof.names) == (None, (), ())


def test_what_it_learned_is_told_beside_its_base_model(taught, job):
    was_asked(BASE, [False, False, True, False])
    was_asked(TUNED, [True, True, True, False])
    was_asked(TUNED, [True] * 4, with_recall=True)

    proof = proofs.of_model(TUNED)

    assert proof.headline == "1 of 4 corrections before, 3 after"
    assert proof.test.recalled.in_words == "4 of 4"
    assert (proof.test.comparison.wins, proof.test.comparison.losses) == (2, 0)
    assert 0 < proof.test.after.low < 0.75 < proof.test.after.high <= 1
    assert list(proof.learned) == taught[:2]


def test_on_how_many_corrections_it_was_trained_is_told(taught, job):
    assert proofs.of_model(TUNED).n_taught is None
    training = TrainingFactory(model=TUNED)
    for correction in taught[:3]:
        LessonFactory(training=training, correction=correction)
    taught[0].delete()
    LessonFactory(training=training, correction=taught[3], use="held_out")

    assert proofs.of_model(TUNED).n_taught == 3


def test_the_verdict_tells_which_runs_and_what_to_do(taught, job):
    verdict = Verdict.objects.create(
        job=job,
        task=TaskFactory(kind="verdict"),
        base_model=BASE,
        tuned_model=TUNED,
        decision=Verdict.Decision.PROMOTE,
        sentence="Promote ft:small:faq.",
        decided_at=now(),
    )
    for side, model, rights in (
        ("base", BASE, [False] * 4),
        ("tuned", TUNED, [True] * 4),
    ):
        run = was_asked(model, rights)
        VerdictRun.objects.create(verdict=verdict, side=side, run=run)
    was_asked(TUNED, [False] * 4)  # a later try by somebody

    proof = proofs.of_model(TUNED)

    assert proof.verdict.sentence == "Promote ft:small:faq."
    assert proof.headline == "0 of 4 corrections before, 4 after"


def test_where_it_answers_is_told_with_since_when(job):
    alias = AliasFactory(name="support", answered_by=BASE)
    release = releases.draft(alias, model=TUNED)
    releases.start_canary(release, percent=10, why="A try.", actor=UserFactory(admin=True))

    (name,) = proofs.of_model(TUNED).names

    assert name.in_words == "@support for 10 of 100"
    assert name.since is not None


def test_a_picture_to_post_names_no_server(job):
    guild = DiscordGuildFactory(name="Secret society")
    channel = DiscordChannelFactory(guild=guild, name="plans")
    PlaceSettingsFactory(guild=guild, model=TUNED)
    PlaceSettingsFactory(guild=guild, channel=channel, model=TUNED)
    AliasFactory(name="support", answered_by=TUNED)
    CorrectionFactory(approved=True, guild=guild)
    version = suites.corrections_suite(guild)
    verdict = Verdict.objects.create(
        task=TaskFactory(), base_model=BASE, tuned_model=TUNED, decision="promote", job=job,
        sentence=f"Promote {TUNED}: on {version} it answers 100 % rightly.",
        figures=[
            {"name": str(version), "n": 1}
            | dict.fromkeys(("base", "base_recall", "tuned", "tuned_recall"), 1.0)
            | {"runs": {}}
        ],
    )  # fmt: skip
    for side in ("base", "base_recall", "tuned", "tuned_recall"):
        run = SuiteRunFactory(version=version, model=TUNED, rights=[True])
        VerdictRun.objects.create(verdict=verdict, side=side, run=run)
        verdict.figures[0]["runs"][side] = {"id": run.pk, "ms": None, "usd": None}
    verdict.save()

    proof = proofs.of_model(TUNED)
    shown = drawing._of_model(proof, dark=False)

    assert {"Secret society", "#plans"} < {name.in_words for name in proof.names}
    assert dict(shown.facts)["Answers as"] == "@support, 2 places"
    assert shown.sentence == "Promote."
    assert "Secret" not in repr(shown)
