"""/v1/embeddings by the real model, through the real SDK."""

import base64
import math
import struct
from pathlib import Path

import httpx2
import openai
import pytest
from openai.types import CreateEmbeddingResponse

from trainerbot.modelserver.bases import find_bases
from trainerbot.modelserver.runtimes.embedding import MAX_TOKENS, Embedder
from trainerbot.modelserver.runtimes.memory import Memory, resident_bytes_of_this_process

MODEL = "smollm2-135m-instruct"

pytestmark = pytest.mark.model


def embed(client, texts, **options):
    return client.embeddings.create(model=MODEL, input=texts, **options)


def likeness(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def test_texts_have_vectors_of_length_one_in_their_order(client):
    answer = embed(client, ["Good morning.", "Dogs bark."], encoding_format="float")

    CreateEmbeddingResponse.model_validate(answer.to_dict(), strict=True)
    vectors = [row.embedding for row in answer.data]
    assert [row.index for row in answer.data] == [0, 1]
    assert all(math.hypot(*vector) == pytest.approx(1, abs=1e-3) for vector in vectors)
    assert answer.usage.prompt_tokens == answer.usage.total_tokens > 4
    assert embed(client, "Good morning.").data[0].embedding == pytest.approx(vectors[0], abs=1e-3)


def test_near_texts_are_nearer_than_far_ones(client):
    question, same, other = (
        row.embedding
        for row in embed(
            client, ["How do I reset my password?", "I forgot my password.", "The cat sleeps."]
        ).data
    )

    assert likeness(question, same) > likeness(question, other)


def test_base64_holds_the_same_numbers(server, client):
    numbers = embed(client, "Hello.", encoding_format="float").data[0].embedding
    answer = httpx2.post(
        f"{server.url}/v1/embeddings",
        json={"model": MODEL, "input": "Hello.", "encoding_format": "base64"},
        headers={"Authorization": f"Bearer {server.key}"},
    ).json()

    data = base64.b64decode(answer["data"][0]["embedding"])
    assert struct.unpack(f"<{len(numbers)}f", data) == pytest.approx(numbers, abs=1e-3)


def test_fewer_dimensions_are_the_first_ones_at_length_one(client):
    whole = embed(client, "Hello.").data[0].embedding
    few = embed(client, "Hello.", dimensions=8).data[0].embedding

    assert len(few) == 8
    assert math.hypot(*few) == pytest.approx(1, abs=1e-3)
    assert few[0] / few[1] == pytest.approx(whole[0] / whole[1], rel=0.1)
    with pytest.raises(openai.BadRequestError, match="less than or equal to 576"):
        embed(client, "Hello.", dimensions=577)


def test_token_ids_are_read_as_one_input_or_as_several(client):
    assert len(embed(client, [1, 2, 3]).data) == 1
    assert len(embed(client, [[1, 2], [3]]).data) == 2


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"input": ""}, "input[0]", "invalid_value"),
        ({"input": []}, "input", "empty_array"),
        ({"input": ["a", 5]}, "input", "invalid_type"),
        ({"input": [[]]}, "input[0]", "invalid_value"),
        ({"input": [-1]}, "input", "invalid_value"),
        ({"input": [99_999_999]}, None, None),
        ({"input": ["x"] * 2049}, "input", "array_above_max_length"),
        ({"input": "word " * 600}, "input", "context_length_exceeded"),
        ({"input": "x", "dimensions": 0}, "dimensions", "integer_below_min_value"),
        ({"input": "x", "encoding_format": "hex"}, "encoding_format", "invalid_value"),
        ({"input": None}, "input", "invalid_type"),
    ],
)
def test_an_input_that_cannot_be_read_is_refused(server, change, param, code):
    answer = httpx2.post(
        f"{server.url}/v1/embeddings",
        json={"model": MODEL, **change},
        headers={"Authorization": f"Bearer {server.key}"},
    )

    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, param, code)


async def test_what_makes_vectors_is_counted_with_all_that_it_can_take():
    base = find_bases([], packaged=True, allow_download=False, max_context_tokens=2048).default
    memory = Memory(1000)
    embedder = Embedder(Path(base.source), memory, context_tokens=2048, n_threads=1)
    before = resident_bytes_of_this_process()

    await embedder.embed([list(range(1000, 1000 + MAX_TOKENS))])

    assert memory.used_bytes >= resident_bytes_of_this_process() - before > 0
    await embedder.unload()
    embedder.close()


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.embeddings.create(model="text-embedding-9", input="x")
    assert caught.value.code == "model_not_found"
