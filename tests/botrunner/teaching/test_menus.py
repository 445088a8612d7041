"""Correcting by slash, menu and form."""

import pytest
from channels.db import database_sync_to_async

from dashboard.models import AuditEvent, Correction, DiscordChannel, Message
from dashboard.services import places
from tests.botrunner.talking import ANSWER, answered, rows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]


async def taught() -> list[Correction]:
    return await rows(Correction.objects.order_by("pk"))


# --- by slash -----------------------------------------------------------------------------
async def test_by_slash_an_id_and_words_are_enough(simcord_env, channel, ada, synced):
    message, answer = await answered(simcord_env, channel, ada)

    result = await ada.slash(channel, "correct", message_id=str(message.id), text="At nine.")

    assert result.response.ephemeral
    assert result.response.content.startswith("Correction received: At nine.")
    assert [each.message_id for each in await taught()] == [answer.pk]


async def test_by_slash_without_words_a_form_opens_for_the_latest_answer(
    simcord_env, channel, ada, synced
):
    _, answer = await answered(simcord_env, channel, ada)

    shown = await ada.slash(channel, "correct")
    sent = await ada.submit_modal(shown, {"text0": "At nine."})

    assert sent.response.content.startswith("Correction received: At nine.")
    assert [each.message_id for each in await taught()] == [answer.pk]


async def test_by_slash_an_id_that_is_none_is_not_found(simcord_env, channel, ada, synced):
    result = await ada.slash(channel, "correct", message_id="the last one", text="At nine.")

    assert result.response.content.startswith("Message not found.")
    assert len(simcord_env.errors) > 0


# --- menus and forms ----------------------------------------------------------------------
async def test_the_menu_opens_a_form_with_the_old_answer(simcord_env, channel, ada, synced):
    message, _ = await answered(simcord_env, channel, ada, text="Never.\n\nIt is closed.")

    shown = await ada.context_menu(channel, "Correct this answer", message)
    field = shown.modal["components"][0]["component"]
    sent = await ada.submit_modal(shown, {"text0": "At nine.\n\n  Really."})

    assert (field["value"], field["max_length"]) == ("Never.\n\nIt is closed.", 4000)
    assert sent.response.ephemeral
    assert sent.response.content.startswith("Correction received: At nine. Really.")
    assert [each.better_answer for each in await taught()] == ["At nine.\n\n  Really."]


async def test_a_very_long_answer_fills_several_fields(simcord_env, channel, ada, synced):
    old = "\n".join(f"line {number} " + "x" * 90 for number in range(100))
    message, answer = await answered(simcord_env, channel, ada)

    @database_sync_to_async
    def grow() -> None:
        answer.content = old
        answer.save()

    await grow()
    shown = await ada.context_menu(channel, "Correct this answer", message)
    fields = [each["component"] for each in shown.modal["components"]]
    words = {field["custom_id"]: field["value"] for field in fields}
    await ada.submit_modal(shown, words | {"text0": f"New.\n{words['text0']}"[:4000]})

    assert len(fields) == 3
    assert "\n".join(field["value"] for field in fields) == old
    assert (await taught())[0].better_answer.startswith("New.\nline 0 ")


async def test_words_that_are_refused_are_handed_back(simcord_env, channel, ada, synced):
    message, _ = await answered(simcord_env, channel, ada)
    shown = await ada.context_menu(channel, "Correct this answer", message)

    sent = await ada.submit_modal(shown, {"text0": ANSWER})

    assert sent.response.content.startswith("The better answer is the same as the old one.")
    [back] = sent.followups
    assert back.ephemeral
    assert (await back.attachments[0].read()).decode() == ANSWER


async def test_forms_are_taken_at_the_pace_of_a_person_and_words_are_never_lost(
    simcord_env, channel, ada, synced
):
    message, _ = await answered(simcord_env, channel, ada)
    shown = [await ada.context_menu(channel, "Correct this answer", message) for _ in range(11)]

    sent = [
        await ada.submit_modal(form, {"text0": f"At {number}."})
        for number, form in enumerate(shown)
    ]

    assert sent[9].response.content.startswith("Correction received: At 9.")
    assert sent[10].response.content.startswith("Not so fast: send it again in ")
    assert (await sent[10].followups[0].attachments[0].read()).decode() == "At 10."
    assert len(await taught()) == 10


async def test_a_form_about_an_answer_that_was_deleted_meanwhile_hands_the_words_back(
    simcord_env, channel, ada, synced
):
    message, answer = await answered(simcord_env, channel, ada)
    shown = await ada.context_menu(channel, "Correct this answer", message)
    await database_sync_to_async(answer.delete)()

    sent = await ada.submit_modal(shown, {"text0": "At nine."})

    assert sent.response.content.startswith("Message not found.")
    assert (await sent.followups[0].attachments[0].read()).decode() == "At nine."
    assert await taught() == []


async def test_the_menu_on_other_peoples_words_finds_nothing(simcord_env, channel, ada, synced):
    message = await ada.send(channel, "my own words")

    for menu in ("Correct this answer", "Why this answer?"):
        result = await ada.context_menu(channel, menu, message)
        assert result.response.content.startswith("Message not found.")
        assert result.response.ephemeral


async def test_whom_the_bot_does_not_listen_to_is_refused_and_audited(
    simcord_env, channel, ada, synced
):
    message, _ = await answered(simcord_env, channel, ada)
    shown = await ada.context_menu(channel, "Correct this answer", message)
    await close(channel)

    menu = await ada.context_menu(channel, "Correct this answer", message)
    sent = await ada.submit_modal(shown, {"text0": "At nine."})
    thumb = await ada.click(message, custom_id=f"verdict:1:{await question_of(message)}")

    for result in (menu, sent, thumb):
        assert result.response.content.startswith("I do not answer in this channel.")
    denied = await rows(AuditEvent.objects.filter(action="access.deny").order_by("pk"))
    assert [each.target for each in denied] == ["Correct this answer", "correct", "feedback"]
    assert await taught() == []


@database_sync_to_async
def close(channel) -> None:
    row = DiscordChannel.objects.get(discord_channel_id=channel.id)
    places.save_access(row, access="deny", actor=None)


@database_sync_to_async
def question_of(message) -> int:
    return Message.objects.get(discord_message_id=message.id).reply_to_id
