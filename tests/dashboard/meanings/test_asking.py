"""What a question means is asked with little patience, and never where it would hold others up."""

import asyncio

import pytest

from dashboard.services import meanings, recall
from dashboard.services.meanings import asking
from tests.factories import CorrectionFactory
from tests.fakes.embedding_endpoint import API_KEY, EmbeddingEndpoint
from trainerbot.endpoints import Endpoint
from trainerbot.errors import ProviderUnavailable

pytestmark = pytest.mark.django_db


def shown(question):
    return [memory.question for memory, _ in recall.current().recall(question).examples]


@pytest.fixture
def pets(in_force, endpoint):
    endpoint.meanings = ("dog", "pets")
    endpoint.vector = lambda text, plain=endpoint.vector: plain(text.replace("pets", "dog pets"))
    CorrectionFactory(approved=True, question="Is my dog welcome?")
    CorrectionFactory.create_batch(3, approved=True)
    meanings.fill()
    recall.current()


@pytest.mark.usefixtures("pets")
def test_a_question_without_a_word_in_common_is_shown_what_means_the_same():
    assert shown("may I bring pets along") == ["Is my dog welcome?"]


@pytest.mark.usefixtures("pets")
def test_the_same_question_is_embedded_once(endpoint):
    endpoint.texts.clear()

    shown("may I bring pets along")
    shown("may I bring pets along")

    assert endpoint.texts == ["may I bring pets along"]


@pytest.mark.usefixtures("pets")
def test_the_corrected_question_itself_asks_no_model(endpoint):
    endpoint.texts.clear()

    assert recall.current().recall("is my dog welcome").verbatim is not None
    assert endpoint.texts == []


@pytest.mark.usefixtures("pets")
def test_an_endpoint_that_fails_leaves_the_words_and_is_left_alone(endpoint):
    endpoint.faults = [500] * 9
    endpoint.requests.clear()

    assert shown("may I bring pets along") == []
    assert shown("is my own dog welcome here?") == ["Is my dog welcome?"]
    assert len(endpoint.requests) == 1


@pytest.fixture
def at():
    """The moment, to be set forward."""
    return [0.0]


@pytest.fixture
def model(endpoint, at):
    where = Endpoint(name="vectors", base_url=endpoint.base_url, api_key=API_KEY)
    return asking.AskedModel(where, "embed-test", clock=lambda: at[0])


def fail(model):
    with pytest.raises(ProviderUnavailable):
        model.embed(["Is it there?"])


def test_one_that_was_only_being_loaded_is_soon_asked_again(endpoint, model, at):
    endpoint.faults = [503]
    for _ in range(3):
        fail(model)
    assert len(endpoint.requests) == 1

    at[0] += asking.LEFT_ALONE_S + 0.1

    assert model.embed(["Is it there?"]).shape == (1, 32)


def test_one_that_stays_away_is_asked_more_and_more_rarely(endpoint, model, at):
    endpoint.faults = [503] * 99
    for _ in range(120):
        fail(model)
        at[0] += 1

    # At 0, 2, 6, 14, 30, 60 and 90 seconds.
    assert len(endpoint.requests) == 7


def test_one_that_answered_again_is_given_the_benefit_of_the_doubt(endpoint, model, at):
    endpoint.faults = [503] * 4
    for _ in range(4):
        fail(model)
        at[0] += asking.MOST_LEFT_ALONE_S
    model.embed(["Is it there?"])
    endpoint.faults = [503]
    fail(model)

    at[0] += asking.LEFT_ALONE_S + 0.1

    assert model.embed(["Is it there?"]).shape == (1, 32)


def test_one_that_is_down_is_told_in_words():
    with EmbeddingEndpoint() as gone:
        where = Endpoint(name="gone", base_url=gone.base_url, api_key=API_KEY, timeout_s=0.2)
    with pytest.raises(ProviderUnavailable, match=r"gone .* cannot be reached"):
        asking.AskedModel(where, "embed-test").embed(["Hello?"])
    asking.close_clients()


def test_one_that_is_slow_is_not_waited_for(endpoint):
    where = Endpoint(name="slow", base_url=endpoint.base_url, api_key=API_KEY, timeout_s=0.05)
    endpoint.waits.clear()

    with pytest.raises(ProviderUnavailable, match="said nothing for"):
        asking.client(where).embed(["Hello?"], model="embed-test")


@pytest.mark.usefixtures("pets")
async def test_what_a_question_means_is_known_before_it_is_recalled(endpoint):
    endpoint.texts.clear()

    await recall.foresee("may I bring pets along")
    await recall.foresee("is my dog welcome")
    await recall.foresee("  ")

    assert endpoint.texts == ["may I bring pets along"]
    assert recall._index.space.knows("may I bring pets along")


@pytest.mark.usefixtures("pets")
async def test_the_event_loop_goes_on_while_a_model_thinks(endpoint):
    endpoint.waits.clear()
    endpoint.began.clear()

    asking_it = asyncio.create_task(recall.foresee("may I bring pets along"))
    await asyncio.to_thread(endpoint.began.wait)
    assert not asking_it.done()
    endpoint.waits.set()
    await asking_it

    assert recall._index.space.knows("may I bring pets along")


@pytest.mark.usefixtures("pets")
async def test_a_model_that_takes_too_long_is_not_waited_for_and_not_asked_by_the_turn(endpoint):
    endpoint.waits.clear()
    endpoint.texts.clear()

    await recall.foresee("may I bring pets along", patience_s=0.0)
    recalled = recall._index.recall("may I bring pets along", asks=False)

    assert recalled.examples == ()
    assert endpoint.texts == []
    endpoint.waits.set()


@pytest.mark.usefixtures("pets")
async def test_half_a_character_is_no_failure(endpoint):
    await recall.foresee("may I bring pets along \ud83d")

    await recall.foresee("\ud83d")

    assert endpoint.texts[-2:] == ["may I bring pets along \ufffd", "\ufffd"]
