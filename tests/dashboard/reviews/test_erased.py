"""What is left of a review once somebody who took part is erased, or a server is gone."""

import pytest

from dashboard.models import DiscordUser
from dashboard.services import corrections, privacy
from dashboard.services.access import Person, Role
from tests.factories import (
    CorrectionFactory,
    DiscordGuildFactory,
    GuildSettingsFactory,
    UserFactory,
)
from trainerbot.errors import Conflict

pytestmark = pytest.mark.django_db


def test_a_vote_stays_as_nobodys():
    row = CorrectionFactory(guild=GuildSettingsFactory(reviewers_needed=2).guild)
    ada = Person(role=Role.TRAINER, name="ada", discord_user_id=77)
    corrections.reject(correction=row, reviewer=ada, note="I know better.")
    assert "I know better." in privacy.export(77)

    privacy.erase(77, corrections_too=True)

    assert corrections.tally(row).rejecting == ("someone",)
    assert row.votes.get().note == ""


def test_a_decision_by_somebody_erased_can_be_put_back():
    row = CorrectionFactory()
    ada = Person(role=Role.TRAINER, name="ada", discord_user_id=77)
    grace = UserFactory(trainer=True)
    corrections.approve(correction=row, reviewer=ada)
    corrections.reject(correction=row, reviewer=grace)
    DiscordUser.objects.all().delete()

    back = corrections.undo(user=grace)

    assert (back.state, back.discord_reviewer) == ("approved", None)


def test_a_place_that_is_gone_is_not_put_back():
    guild = DiscordGuildFactory()
    row, admin = CorrectionFactory(guild=guild), UserFactory(admin=True)
    corrections.move(correction=row, editor=admin)
    guild.delete()

    with pytest.raises(Conflict, match="is gone"):
        corrections.undo(user=admin)


def test_the_history_of_a_correction_forgets_the_name_too():
    row = CorrectionFactory()
    ada = Person(role=Role.TRAINER, name="ada", discord_user_id=77)
    corrections.reject(correction=row, reviewer=ada, note="Ada knows better.")
    assert "ada" in {entry.name for entry in corrections.timeline(row)}

    privacy.erase(77, corrections_too=True)

    told = corrections.timeline(row)
    assert {entry.name for entry in told if entry.did == "rejected it"} == {"someone"}
    assert all("Ada" not in entry.note for entry in told)


def test_no_word_of_an_erased_reviewer_stays_anywhere():
    row, grace = CorrectionFactory(), UserFactory(trainer=True)
    ada = Person(role=Role.TRAINER, name="ada", discord_user_id=77)
    corrections.reject(correction=row, reviewer=ada, note="Ada knows better.")
    corrections.approve(correction=row, reviewer=grace)

    privacy.erase(77, corrections_too=False)

    row.refresh_from_db()
    kept = [row.review_note]
    for step in row.steps.all():
        kept += [step.note, str(step.before), str(step.after)]
    assert not any("Ada" in words for words in kept)
    back = corrections.undo(user=grace)
    assert (back.state, back.review_note) == ("rejected", "")
