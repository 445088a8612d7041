"""Graders: what they compute, and what they refuse."""

import pytest
from openai.types.fine_tuning.alpha import GraderRunResponse, GraderValidateResponse

from tests.trainerbot.modelserver.inprocess import in_process
from trainerbot.modelserver.graders import formula
from trainerbot.modelserver.graders.similarity import MEASURES

RUN = "/v1/fine_tuning/alpha/graders/run"
VALIDATE = "/v1/fine_tuning/alpha/graders/validate"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with in_process(tmp_path_factory.mktemp("graders")) as running:
        yield running


def check(operation: str = "eq", reference: str = "{{ item.answer }}") -> dict[str, object]:
    text = "{{ sample.output_text }}"
    return {"type": "string_check", "name": "same", "input": text, "reference": reference, "operation": operation}  # fmt: skip


def similar(metric: str, reference: str = "{{ item.answer }}") -> dict[str, object]:
    text = "{{ sample.output_text }}"
    return {"type": "text_similarity", "name": "near", "input": text, "reference": reference, "evaluation_metric": metric}  # fmt: skip


def run(server, grader, sample: str, item: object = None):
    return server.send_json("POST", RUN, {"grader": grader, "model_sample": sample, "item": item})


@pytest.mark.parametrize(
    ("operation", "sample", "reward"),
    [
        ("eq", "Paris", 1.0),
        ("eq", "paris", 0.0),
        ("ne", "Rome", 1.0),
        ("like", "It is Paris.", 1.0),
        ("like", "It is paris.", 0.0),
        ("ilike", "It is PARIS.", 1.0),
    ],
)
def test_a_string_check_is_computed(server, operation, sample, reward):
    reply = run(server, check(operation), sample, {"answer": "Paris"})

    GraderRunResponse.model_validate(reply.json, strict=True)
    assert (reply.json["reward"], reply.json["metadata"]["type"]) == (reward, "string_check")
    assert not any(reply.json["metadata"]["errors"].values())


@pytest.mark.parametrize("metric", MEASURES)
def test_every_measure_gives_one_to_equal_texts_and_nothing_to_strangers(metric):
    text = "The cat sat on the mat and slept well"

    assert MEASURES[metric](text, text) == pytest.approx(1, abs=0.01)
    assert MEASURES[metric]("zzz qqq", "aaa bbb") == 0 or metric == "fuzzy_match"
    assert 0 < MEASURES[metric](text, text + " until noon") < 1
    assert MEASURES[metric]("", "") == 1


@pytest.mark.parametrize(
    ("metric", "text", "reference", "expected"),
    [
        # rapidfuzz.fuzz.ratio, rouge-score and nltk give the same.
        ("fuzzy_match", "kitten", "sitting", 2 * 4 / 13),
        ("rouge_1", "the cat sat", "the cat slept here", 2 * 2 / 7),
        ("rouge_2", "the cat sat", "the cat slept here", 2 * 1 / 5),
        ("rouge_l", "the fat cat sat", "the cat sat down", 2 * 3 / 8),
        ("gleu", "the cat sat", "the cat sat down", 6 / 10),
    ],
)
def test_the_measures_are_those_of_the_papers(metric, text, reference, expected):
    assert MEASURES[metric](text, reference) == pytest.approx(expected)


def test_a_multi_grader_computes_its_formula(server):
    grader = {
        "type": "multi",
        "name": "both",
        "graders": {"same": check(), "near": similar("fuzzy_match")},
        "calculate_output": "0.5 * same + max(near, 0) ^ 2",
    }

    reply = run(server, grader, "kitten", {"answer": "sitting"})

    near = 2 * 4 / 13
    assert reply.json["sub_rewards"] == {"same": 0.0, "near": pytest.approx(near)}
    assert reply.json["reward"] == pytest.approx(near**2)


def test_an_answer_in_json_can_be_looked_into(server):
    grader = check() | {"input": "{{ sample.output_json.names.1 }}"}

    reply = run(server, grader, '{"names": ["Rome", "Paris"]}', {"answer": "Paris"})

    assert reply.json["reward"] == 1


def test_a_variable_that_is_not_there_is_told_as_openai_tells_it(server):
    reply = run(server, check(), "x", {})

    GraderRunResponse.model_validate(reply.json, strict=True)
    assert reply.json["reward"] == 0
    assert reply.json["metadata"]["errors"]["invalid_variable_error"] is True


def test_a_formula_without_a_value_is_told_too(server):
    grader = {"type": "multi", "name": "m", "graders": {"a": check()}, "calculate_output": "1 / a"}

    reply = run(server, grader, "x", {"answer": "y"})

    assert reply.json["metadata"]["errors"]["formula_parse_error"] is True


@pytest.mark.parametrize(
    "grader",
    [
        {"type": "python", "name": "p", "source": "def grade(sample, item): return 1"},
        {"type": "score_model", "name": "s", "model": "gpt-9", "input": []},
        {"type": "label_model", "name": "l", "model": "gpt-9", "input": [], "labels": []},
        similar("cosine"),
    ],
)
def test_what_cannot_be_run_here_is_refused_by_name(server, grader):
    for path, body in ((RUN, {"grader": grader, "model_sample": "x"}), (VALIDATE, {"grader": grader})):  # fmt: skip
        reply = server.send_json("POST", path, body)

        assert (reply.status, reply.error["code"]) == (400, "unsupported_grader")


def test_a_grader_that_could_be_run_is_valid(server):
    reply = server.send_json("POST", VALIDATE, {"grader": check()})

    GraderValidateResponse.model_validate(reply.json)
    assert reply.json == {"grader": check()}


@pytest.mark.parametrize(
    ("grader", "param"),
    [
        ({}, "grader.type"),
        ({"type": ["multi"]}, "grader.type"),
        (check() | {"operation": "is"}, "grader.operation"),
        (check() | {"name": 1}, "grader.name"),
        (similar("bert"), "grader.evaluation_metric"),
        ({"type": "multi", "name": "m", "calculate_output": "1"}, "grader.graders"),
        (
            {"type": "multi", "name": "m", "calculate_output": "1", "graders": {"a": 1}},
            "grader.graders.a",
        ),
    ],
)
def test_a_grader_that_cannot_be_read_is_refused(server, grader, param):
    reply = server.send_json("POST", VALIDATE, {"grader": grader})

    assert (reply.status, reply.error["param"]) == (400, param)


@pytest.mark.parametrize(
    "text",
    ["", "a +", "__import__('os')", "a.b", "a if a else a", "'x'", "True", "b", "min()", "9**9**9", "(" * 150, "-" * 390 + "1", "a[0]", "min(a, key=a)", "exp(1000)", "log(0)"],
)  # fmt: skip
def test_a_formula_can_do_no_harm(text):
    try:
        value = formula.value(text, {"a": 1.0})
    except formula.WrongFormula:
        return
    assert abs(value) == 1


def test_long_texts_are_refused_rather_than_compared_for_minutes(server):
    reply = run(server, similar("rouge_l"), "x " * 20_000, {"answer": "x"})

    assert (reply.status, "at most 20000 characters" in reply.error["message"]) == (400, True)


def test_a_template_that_repeats_a_long_text_is_never_filled_whole(server):
    # Filled, it would have 100 GB.
    reference = "{{item.a}}" * 100_000

    reply = run(server, check(reference=reference), "x", {"a": "a" * 1_000_000})

    assert (reply.status, "at most 20000 characters" in reply.error["message"]) == (400, True)
