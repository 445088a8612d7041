"""Who may ask, and how refusals look."""

import subprocess

import httpx2
import openai
import pytest

from tests.trainerbot.modelserver.running import RunningServer, command, environment


def test_a_wrong_key_is_refused_with_openais_code(server):
    with (
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError, match="Incorrect API key") as caught,
    ):
        stranger.models.list()

    assert caught.value.code == "invalid_api_key"
    assert "wrong" not in str(caught.value.body)


@pytest.mark.parametrize("path", ["/v1/models", "/v1/files", "/v1/nothing", "/"])
def test_nothing_but_healthz_answers_without_a_key(server, path):
    answer = httpx2.get(server.url + path)

    assert answer.status_code == 401
    assert answer.json()["error"]["message"].startswith("You didn't provide an API key")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_healthz_needs_no_key(server):
    answer = httpx2.get(f"{server.url}/healthz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["model"] == "smollm2-135m-instruct"


def test_unknown_addresses_and_methods_are_errors_in_openais_shape(server):
    headers = {"Authorization": f"Bearer {server.key}"}

    unknown = httpx2.get(f"{server.url}/v1/nothing", headers=headers)
    wrong = httpx2.put(f"{server.url}/v1/models", headers=headers)

    assert unknown.status_code == 404
    assert unknown.json()["error"]["message"] == "Invalid URL (GET /v1/nothing)"
    assert wrong.status_code == 405
    assert wrong.json()["error"]["code"] == "method_not_supported"
    assert wrong.headers["x-request-id"].startswith("req_")


@pytest.fixture(scope="module")
def open_server(tmp_path_factory):
    with RunningServer(tmp_path_factory.mktemp("open"), key=None) as running:
        yield running


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example:80"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_server_without_keys_keeps_other_sites_out(open_server, headers):
    assert httpx2.get(f"{open_server.url}/v1/models", headers=headers).status_code == 403


def test_a_server_without_keys_answers_this_machine(open_server):
    assert open_server.client.models.list().data


def test_without_a_key_only_loopback_is_bound(tmp_path):
    ended = subprocess.run(
        command(tmp_path, "--host", "0.0.0.0"),
        env=environment(None),
        capture_output=True,
        text=True,
        timeout=180,
    )

    assert ended.returncode == 1
    assert "MODELSERVER_API_KEY" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_keys_come_from_a_file_too_one_a_line(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("first\n\n  second  \n", encoding="utf-8")

    with RunningServer(tmp_path / "data", "--api-key-file", str(keys), key="second") as server:
        assert server.client.models.list().data
