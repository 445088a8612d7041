"""What was spoken into the Playground is asked with the words that the server heard."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from dashboard.models import Message, Utterance
from dashboard.services import dictation
from dashboard.services.utterances import Sound
from tests.dashboard.sockets import open_socket
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

make_user = sync_to_async(UserFactory)


async def ask(user: User, **fields: Any) -> dict[str, Any]:
    """How the Playground ends that is asked for this."""
    async with open_socket("/ws/playground/", user=user) as socket:
        await socket.send({"type": "ask", "question": "", **fields})
        while (news := await socket.receive())["type"] not in ("answer", "failed", "refused"):
            pass
        return dict(news)


async def test_what_was_said_is_asked_with_its_words_and_who_heard_them(endpoint):
    user = await make_user()
    sound = Sound("When?", "de-DE", "sphinx", duration_s=1.5, stages_ms={"heard": 40})

    answer = await ask(user, heard=dictation.seal(sound, user=user))

    assert answer["type"] == "answer"
    assert endpoint.chats[-1]["messages"][-1]["content"] == "When?"
    heard = await Utterance.objects.select_related("message").aget()
    assert heard.message is not None
    assert heard.text == heard.message.content == "When?"
    assert (heard.provider, heard.language, heard.duration_ms) == ("sphinx", "de-DE", 1500)


@pytest.mark.parametrize("of", ["somebody else", "nobody", "long ago"])
async def test_words_that_the_server_did_not_hear_of_this_person_are_asked_of_no_model(
    endpoint, of, monkeypatch
):
    user, other = await make_user(), await make_user()
    sound = Sound("Let me in.", "en", "sphinx")
    letter = "x:y:z" if of == "nobody" else dictation.seal(sound, user=other)
    if of == "long ago":
        letter = dictation.seal(sound, user=user)
        monkeypatch.setattr(dictation, "VALID_S", -1)

    refused = await ask(user, heard=letter)

    assert refused["type"] == "refused"
    assert "Say it again" in refused["sentence"]
    assert not endpoint.chats
    assert not await Message.objects.aexists()
