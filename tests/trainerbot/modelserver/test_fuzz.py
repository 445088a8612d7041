"""Whatever is sent to whichever route: an answer in OpenAI's shape, and nothing left behind."""

import json
import re
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Route

from tests.trainerbot.modelserver.inprocess import MIB, MODEL, InProcess, Reply, in_process
from trainerbot.formats import check_chat_jsonl

TRICKS = (
    "", "/", "..", "../../etc/passwd", "\0", "😀", "a/b", "ft:../../x:knn::1", "%00", "null",
    "file-abc", "'; DROP TABLE files; --", "\u202e", "0", "-1", "9" * 30, "NaN", "x" * 5000,
)  # fmt: skip
NASTY_TEXTS = st.one_of(st.sampled_from(TRICKS), st.text(max_size=20))
NASTY_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from([0, -1, 2**63, 10**400, 1e308, float("nan"), float("inf")]),
        NASTY_TEXTS,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(NASTY_TEXTS, inner, max_size=3)
    ),
    max_leaves=6,
)
# The names that some route reads, so that not all of a body is passed over.
FIELDS = (
    "model", "training_file", "validation_file", "method", "hyperparameters", "suffix", "seed",
    "metadata", "integrations", "bytes", "filename", "mime_type", "purpose", "expires_after",
    "part_ids", "md5", "project_ids", "grader", "model_sample", "item", "messages", "input",
    "voice", "stream", "n", "tools", "response_format", "max_tokens", "stop", "store",
)  # fmt: skip
LIKELY = {
    "model": st.just(MODEL),
    "purpose": st.sampled_from(["fine-tune", "vision"]),
    "filename": st.just("a.jsonl"),
    "mime_type": st.just("text/plain"),
    "messages": st.just([{"role": "user", "content": "Hi"}]),
    "method": st.fixed_dictionaries(
        {"type": st.sampled_from(["knn", "supervised", "dpo", "reinforcement"])},
        optional={"knn": NASTY_VALUES, "supervised": NASTY_VALUES, "dpo": NASTY_VALUES},
    ),
    "grader": st.fixed_dictionaries(
        {"type": st.sampled_from(["string_check", "text_similarity", "multi", "python"])},
        optional={
            "name": NASTY_VALUES,
            "input": st.one_of(NASTY_VALUES, st.just("{{ item.a }}")),
            "reference": NASTY_TEXTS,
            "operation": st.sampled_from(["eq", "ilike"]),
            "evaluation_metric": st.sampled_from(["bleu", "rouge_l", "cosine"]),
            "graders": NASTY_VALUES,
            "calculate_output": NASTY_TEXTS,
        },
    ),
}
BODIES = st.dictionaries(st.sampled_from(FIELDS), NASTY_VALUES, max_size=6).flatmap(
    lambda body: st.fixed_dictionaries(
        {name: st.just(value) for name, value in body.items()},
        optional={name: likely for name, likely in LIKELY.items() if name not in body},
    )
)
QUERIES = st.dictionaries(
    st.sampled_from(["limit", "after", "order", "purpose", "metadata", "metadata[a]", "project_id", "model"]),
    NASTY_TEXTS,
    max_size=3,
)  # fmt: skip
FORMS = st.dictionaries(
    st.sampled_from(["purpose", "expires_after[anchor]", "expires_after[seconds]", "model", "language"]),
    NASTY_TEXTS,
    max_size=4,
)  # fmt: skip
MANY = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    with in_process(tmp_path_factory.mktemp("fuzz")) as running:
        yield running


def routes(here: InProcess) -> list[tuple[str, str]]:
    """Every route of the application but speech's, which start processes: method and path."""
    return [
        (method, route.path)
        for route in here.app.routes
        if isinstance(route, Route) and not route.path.startswith("/v1/audio")
        for method in sorted(route.methods or ())
        if method != "HEAD"
    ]


def filled(path: str, ids: list[str]) -> str:
    """The path of a route with these ids in its places."""
    remaining = iter(ids * 3)
    return re.sub(r"\{[^}]+\}", lambda _: next(remaining), path)


def is_fine(reply: Reply) -> bool:
    """Whether a client of OpenAI can read the answer, and the failure is not ours."""
    if reply.status < 300:
        return True
    # 501: typed, for what this server lacks (here a language model).
    return reply.status in (400, 403, 404, 405, 413, 422, 501) and bool(reply.error["message"])


@MANY
@given(data=st.data())
def test_no_json_however_wrong_breaks_a_route(here, data):
    method, path = data.draw(st.sampled_from(routes(here)))
    ids = data.draw(st.lists(NASTY_TEXTS.filter(bool), min_size=1, max_size=2))

    reply = here.send(
        method,
        filled(path, ids),
        query=urlencode(data.draw(QUERIES)).encode(),
        body=json.dumps(data.draw(BODIES)).encode(),
        headers={"content-type": "application/json"},
    )

    assert is_fine(reply), (method, path, reply)
    assert here.leftovers() == []


@MANY
@given(data=st.data(), body=st.binary(max_size=200))
def test_no_bytes_however_wrong_break_a_route(here, data, body):
    method, path = data.draw(st.sampled_from(routes(here)))
    kind = data.draw(
        st.sampled_from(["application/json", "multipart/form-data; boundary=x", "", "text/plain"])
    )

    reply = here.send(method, filled(path, ["some"]), body=body, headers={"content-type": kind})

    assert is_fine(reply), (method, path, reply)
    assert here.leftovers() == []


@MANY
@given(fields=FORMS, content=st.binary(max_size=300), chunks=st.integers(1, 9))
def test_no_form_however_wrong_breaks_an_upload(here, fields, content, chunks):
    upload = here.store.add_upload(
        filename="a", purpose="vision", mime_type="", n_bytes=300, file_expires_after_s=None
    )

    replies = [
        here.send_form("/v1/files", fields, name="file", content=content, chunks=chunks),
        here.send_form(
            f"/v1/uploads/{upload.id}/parts", fields, name="data", content=content, chunks=chunks
        ),
    ]

    assert all(is_fine(reply) for reply in replies), replies
    assert here.leftovers() == []


@MANY
@given(body=BODIES)
def test_no_job_however_wrong_breaks_the_queue(here, body):
    file = here.store.add_file(
        here.store.blobs.write(b"{}"), filename="a.jsonl", purpose="fine-tune"
    )

    reply = here.send_json("POST", "/v1/fine_tuning/jobs", {**body, "training_file": file.id})

    assert is_fine(reply), reply
    assert here.send("GET", "/v1/fine_tuning/jobs").status == 200


@MANY
@given(grader=LIKELY["grader"], sample=NASTY_TEXTS, item=NASTY_VALUES)
def test_no_grader_however_wrong_breaks_the_grading(here, grader, sample, item):
    body = {"grader": grader, "model_sample": sample, "item": item}

    assert is_fine(here.send_json("POST", "/v1/fine_tuning/alpha/graders/run", body))
    assert is_fine(here.send_json("POST", "/v1/fine_tuning/alpha/graders/validate", body))


@settings(MANY, max_examples=15)
@given(body=BODIES, fields=FORMS, content=st.binary(max_size=300))
def test_no_sound_however_wrong_breaks_speech(server, body, fields, content):
    headers = {"Authorization": f"Bearer {server.key}"}
    with httpx2.Client(base_url=server.url, headers=headers, timeout=60) as client:
        replies = [
            client.post(
                "/v1/audio/speech",
                content=json.dumps(body).encode(),
                headers={"Content-Type": "application/json"},
            ),
            client.post("/v1/audio/transcriptions", data=fields, files={"file": ("a", content)}),
        ]

    assert all(is_fine(Reply(r.status_code, {}, r.content)) for r in replies), replies


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400])
def test_a_hyperparameter_that_is_no_number_is_refused(here, number):
    file = here.store.add_file(
        here.store.blobs.write(b"{}"), filename="a.jsonl", purpose="fine-tune"
    )
    body = (
        f'{{"model": "{MODEL}", "training_file": "{file.id}", "method": '
        f'{{"type": "knn", "knn": {{"hyperparameters": {{"n_neighbors": {number}}}}}}}}}'
    )

    before = here.store.jobs().rows

    reply = here.send("POST", "/v1/fine_tuning/jobs", body=body.encode())

    assert (reply.status, here.store.jobs().rows) == (400, before)


def test_a_body_of_10_gb_is_refused_before_it_comes_and_at_the_first_byte_too_many(here):
    form = {"content-type": "multipart/form-data; boundary=x"}
    length = {"content-length": str(10 * 1024 * MIB)}

    announced = here.send("POST", "/v1/files", headers={**form, **length})
    came = here.send_form("/v1/files", {}, name="file", content=bytes(MIB + 1), chunks=40)

    assert announced.status == came.status == 413
    assert announced.error["message"] == "File size limit exceeded. Limit is 1 MB."
    assert here.leftovers() == []


def test_deep_json_is_refused(here):
    reply = here.send("POST", "/v1/fine_tuning/jobs", body=b'{"model": ' + b"[" * 100_000)

    assert reply.status == 400


def test_a_line_of_50_mb_is_refused_in_words(tmp_path):
    path = tmp_path / "long.jsonl"
    path.write_bytes(b'{"messages": [{"role": "user", "content": "' + b"x" * 50_000_000 + b'"}]}\n')

    report = check_chat_jsonl(path, max_bytes=512 * MIB, min_examples=10)

    assert report.first_error is not None
    assert "line 1" in report.first_error.message.lower()
    assert len(report.first_error.message) < 500
