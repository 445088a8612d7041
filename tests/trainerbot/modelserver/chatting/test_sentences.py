"""Models that only compare texts, with an invented one in the place of a package's."""

import asyncio
from zipfile import BadZipFile

import numpy as np
import pytest

from trainerbot.errors import InvalidInput, ProviderUnavailable
from trainerbot.modelserver.bases import Bases
from trainerbot.modelserver.catalog import Catalog
from trainerbot.modelserver.runtimes.base import ContextTooLong
from trainerbot.modelserver.runtimes.memory import Memory
from trainerbot.modelserver.runtimes.sentences import (
    MAX_CHARACTERS,
    SentenceModel,
    find_sentence_models,
)
from trainerbot.modelserver.store import Store

MODEL = "embed-invented"


def encode(texts):
    return np.array([[len(text), 1.0] for text in texts])


@pytest.fixture
def model():
    made = SentenceModel(MODEL, Memory(1024), lambda: encode)
    yield made
    made.close()


def test_texts_have_vectors_in_their_order_and_words_are_counted(model):
    found = asyncio.run(model.embed(["One two.", "Three"] * 20))

    assert found.vectors == ((8.0, 1.0), (5.0, 1.0)) * 20
    assert found.n_tokens == 80


def test_token_ids_and_long_texts_are_refused_in_words(model):
    with pytest.raises(InvalidInput, match="takes texts, and no tokens"):
        asyncio.run(model.embed([[1, 2]]))
    with pytest.raises(ContextTooLong, match="reduce your input"):
        asyncio.run(model.embed(["x" * (MAX_CHARACTERS + 1)]))


def test_it_gives_its_memory_back_and_is_loaded_again(model):
    async def twice():
        await model.embed(["One"])
        await model.unload()
        return await model.embed(["One"])

    assert asyncio.run(twice()).vectors == ((3.0, 1.0),)
    assert model.is_idle


@pytest.mark.parametrize(
    "damage", [OSError("weights.npz"), BadZipFile("no zip"), KeyError("q1"), EOFError()]
)
def test_a_damaged_package_is_told_in_words(damage):
    def load():
        raise damage

    model = SentenceModel(MODEL, Memory(1024), load)
    with pytest.raises(ProviderUnavailable, match="Install it again"):
        asyncio.run(model.embed(["One"]))
    model.close()


def test_it_is_asked_by_name_and_cannot_chat(tmp_path, model):
    store = Store(tmp_path)
    catalog = Catalog(store, Bases([]), {}, Memory(1024), {MODEL: model})

    found = asyncio.run(catalog.embed(MODEL, ["One"]))
    with pytest.raises(InvalidInput, match="embeddings and nothing else"):
        catalog.base_of(MODEL)

    assert found.vectors == ((3.0, 1.0),)
    store.close()


def test_those_that_are_installed_are_told_apart_from_models_that_chat():
    found = find_sentence_models(Memory(1024))

    assert all(name.startswith("embed-") for name in found)
    for each in found.values():
        each.close()


def test_half_a_character_is_read_as_a_question_mark():
    seen = []

    def strict(texts):
        seen.extend(text.encode().decode() for text in texts)
        return encode(texts)

    model = SentenceModel(MODEL, Memory(1024), lambda: strict)

    asyncio.run(model.embed(["What \ud83d?"]))

    assert seen[-1] == "What ??"
    model.close()
