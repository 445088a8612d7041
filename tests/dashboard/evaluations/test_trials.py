"""Records that are in no dataset: the original's `!test {"text": ..., "label": ...}`."""

import pytest

from dashboard.services import evaluations
from dashboard.services.evaluations.trials import MAX_RECORDS
from tests.dashboard.evaluations.answering import asked, by_the_word, classifying
from tests.fakes.openai_endpoint import Reply, error_body
from trainerbot.errors import InvalidInput, ProviderRefused, ProviderUnavailable


def read(text):
    return evaluations.read_records(text)


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ('{"text": "a b"}', [{"text": "a b"}]),
        ('{"text": "a", "label": "online_store"}', [{"text": "a", "label": "positive"}]),
        ('[{"text": "a", "name": "x.txt", "more": 1}]', [{"text": "a", "name": "x.txt"}]),
        ('\ufeff{"text": "a"}\n\n{"text": "b", "label": null}\n', [{"text": "a"}, {"text": "b"}]),
        ('[\n {"text":\n "a"}\n]', [{"text": "a"}]),
    ],
)
def test_one_record_an_array_or_one_a_line_is_read(text, records):
    assert read(text) == records


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no record"),
        ("[]", "no record"),
        ("{'text': 'a'}", "Line 1 is no JSON"),
        ('[{"text": "a"},]', "The array is no JSON from line 1, column 16 on"),
        (f"[{'1' * 5_000}]", "The array is no JSON that can be read"),
        ('["a"]', 'Record 1 needs a "text"'),
        ('[{"text": "a"}, {"label": "x"}]', 'Record 2 needs a "text"'),
        ('{"text": 3}', 'Record 1 needs a "text"'),
        ('{"text": "a", "label": true}', '"label" of record 1'),
        ('{"text": " "}', "Record 1 has no text"),
        ('{"text": "a\\u0000"}', "Record 1 has no text, or characters"),
        ('{"text": "\\ud800"}', "Record 1 has no text, or characters"),
        ("[" * 100_000, "nested too deeply"),
        ('[{"text":' * 50_000, "nested too deeply"),
        ('{"text": "a"}\n' * (MAX_RECORDS + 1), "1,001 records are too many"),
        (" " * (9 * 1024 * 1024), "too much for one test"),
    ],
)
def test_what_are_no_records_is_refused_in_words(text, said):
    with pytest.raises(InvalidInput, match=said):
        read(text)


def test_each_record_gets_its_answer_in_their_order(endpoint):
    endpoint.answer = classifying(by_the_word)
    records = read(
        '[{"text": "A basket", "label": "positive", "name": "shop.txt"},'
        ' {"text": "News", "label": "positive"}, {"text": "Pay here"}]'
    )

    trial = evaluations.classify(records, model="small")

    assert [each.predicted for each in trial.records] == ["positive", "negative", "positive"]
    assert [each.is_right for each in trial.records] == [True, False, None]
    assert [each.name for each in trial.records] == ["shop.txt", "record 2", "record 3"]
    assert trial.labels == ["positive", "negative"]
    assert (trial.scores["n"], trial.scores["accuracy"]) == (2, 0.5)
    assert asked(endpoint) == ["A basket", "News", "Pay here"]


def test_records_without_labels_get_predictions_only(endpoint):
    endpoint.answer = classifying(by_the_word)

    trial = evaluations.classify(read('{"text": "A basket"}'), model="small")

    assert trial.scores is None
    assert trial.records[0].predicted == "positive"


def test_labels_of_ones_own_are_chosen_from(endpoint):
    endpoint.answer = classifying(lambda text: "ham")

    found = evaluations.classify(
        read('{"text": "x", "label": "spam"}'), model="small", labels=["spam", "ham"]
    )
    own = evaluations.classify(
        read('{"text": "x", "label": "spam"}\n{"text": "y", "label": "ham"}'), model="small"
    )

    assert (found.labels, own.labels) == (["spam", "ham"], ["ham", "spam"])


def test_a_label_that_is_not_among_the_choices_is_refused(endpoint):
    with pytest.raises(InvalidInput, match="spam"):
        evaluations.classify(
            read('{"text": "x", "label": "spam"}'), model="small", labels=["ham", "eggs"]
        )
    assert endpoint.chats == []


def test_an_instruction_of_ones_own_is_told(endpoint):
    endpoint.answer = classifying(by_the_word)

    evaluations.classify(read('{"text": "x"}'), model="small", instruction="Is it a shop?")

    assert endpoint.chats[0]["messages"][0]["content"] == "Is it a shop?"


@pytest.mark.parametrize(("status", "kind"), [(401, ProviderRefused), (500, ProviderUnavailable)])
def test_an_endpoint_that_says_no_is_an_error_and_never_a_prediction(endpoint, status, kind):
    endpoint.default = Reply(
        status=status, error=error_body("positive"), headers={"retry-after-ms": "1"}
    )

    with pytest.raises(kind):
        evaluations.classify(read('{"text": "x"}'), model="small")
