"""Chats that were stored: listed, read, updated, deleted, and there after a kill -9."""

import contextlib

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionStoreMessage

from trainerbot.modelserver.store import Store

MODEL = "smollm2-135m-instruct"
MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Say hello."}]},
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "Again."},
]

pytestmark = pytest.mark.model


def stored(client, *, stream=False, **metadata):
    answer = client.chat.completions.create(
        model=MODEL,
        messages=MESSAGES,
        max_tokens=2,
        temperature=0,
        store=True,
        metadata=metadata or None,
        stream=stream,
    )
    return next(iter(list(answer))) if stream else answer


def test_a_stored_chat_is_found_again_whole(client):
    made = stored(client, topic="greeting")

    found = client.chat.completions.retrieve(made.id)

    ChatCompletion.model_validate(found.to_dict(), strict=True)
    assert found.choices == made.choices
    assert (found.usage, found.metadata) == (made.usage, {"topic": "greeting"})


def test_a_stream_is_stored_as_well(client):
    first = stored(client, stream=True)

    found = client.chat.completions.retrieve(first.id)

    assert found.object == "chat.completion"
    assert found.choices[0].message.content


def test_what_is_not_to_be_stored_is_not(client):
    made = client.chat.completions.create(model=MODEL, messages=MESSAGES, max_tokens=1)

    with pytest.raises(openai.NotFoundError, match="No chat completion found"):
        client.chat.completions.retrieve(made.id)


def test_lists_go_by_metadata_model_order_and_pages(client):
    ids = [stored(client, run="pages", number=str(n)).id for n in range(3)]
    completions = client.chat.completions

    def listed(**options):
        return [one.id for one in completions.list(metadata={"run": "pages"}, **options)]

    assert listed() == ids
    assert listed(order="desc") == ids[::-1]
    assert listed(limit=1) == ids  # page by page
    assert listed(after=ids[0]) == ids[1:]
    assert listed(model="another") == []
    assert [one.id for one in completions.list(metadata={"run": "pages", "number": "1"})] == [
        ids[1]
    ]
    assert completions.list(limit=0).data == []
    with pytest.raises(openai.BadRequestError, match="'after'"):
        completions.list(after="chatcmpl-none")


def test_the_messages_of_a_chat_are_listed(client):
    made = stored(client)
    messages = client.chat.completions.messages

    listed = list(messages.list(made.id))

    assert [message.content for message in listed] == [
        "Be brief.",
        "Say hello.",
        "Hello.",
        "Again.",
    ]
    assert listed[1].content_parts[0].text == "Say hello."
    assert listed[0].id == f"{made.id}-0"
    ChatCompletionStoreMessage.model_validate(listed[2].to_dict(), strict=True)
    assert messages.list(made.id, order="desc", limit=1).data == listed[-1:]
    assert [one.id for one in messages.list(made.id, after=listed[2].id)] == [listed[3].id]
    with pytest.raises(openai.BadRequestError, match="'after'"):
        messages.list(made.id, after="none")


def test_only_the_metadata_is_updated(client):
    made = stored(client, topic="old")

    updated = client.chat.completions.update(made.id, metadata={"topic": "new"})

    assert (updated.metadata, updated.choices) == ({"topic": "new"}, made.choices)
    assert client.chat.completions.retrieve(made.id).metadata == {"topic": "new"}
    with pytest.raises(openai.BadRequestError, match="metadata"):
        client.chat.completions.update(made.id, metadata={"x" * 65: "y"})


def test_a_deleted_chat_is_gone(client):
    made = stored(client)
    completions = client.chat.completions

    deleted = completions.delete(made.id)

    assert (deleted.deleted, deleted.object) == (True, "chat.completion.deleted")
    for call in (
        lambda: completions.retrieve(made.id),
        lambda: completions.delete(made.id),
        lambda: completions.update(made.id, metadata={}),
        lambda: completions.messages.list(made.id),
    ):
        with pytest.raises(openai.NotFoundError) as caught:
            call()
        assert caught.value.body["param"] == "completion_id"


def test_what_was_stored_is_there_at_the_next_start(tmp_path):
    made = {"id": "chatcmpl-1", "created": 5, "model": MODEL, "choices": []}
    with contextlib.closing(Store(tmp_path)) as store:
        store.add_completion(made, messages=MESSAGES, metadata={"topic": "kept"})

    with contextlib.closing(Store(tmp_path)) as store:
        assert store.completion("chatcmpl-1") == {**made, "metadata": {"topic": "kept"}}
        assert [one["id"] for one in store.completion_messages("chatcmpl-1")][-1] == "chatcmpl-1-3"
