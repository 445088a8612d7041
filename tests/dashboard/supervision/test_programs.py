"""Which programs run, as the settings and the command line want them."""

import pytest

from dashboard.services.supervision import programs
from trainerbot.errors import InvalidInput


def test_with_no_settings_web_worker_and_modelserver_run_and_the_bot_is_explained():
    selection = programs.select()

    assert selection.names() == {"web", "worker", "modelserver"}
    assert "DISCORD_TOKEN" in selection.left_out["bot"]


def test_the_modelserver_hears_and_speaks_also_where_another_endpoint_chats(settings):
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"

    assert "modelserver" in programs.select().names()


@pytest.mark.parametrize(
    "elsewhere", [{"SPEECH": False}, {"SPEECH_BASE_URL": "http://127.0.0.1:8/v1"}]
)
def test_another_endpoint_for_chat_and_none_of_ours_for_speech_make_it_needless(
    settings, elsewhere
):
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    for name, value in elsewhere.items():
        setattr(settings, name, value)

    selection = programs.select()

    assert "modelserver" not in selection.names()
    assert "another model endpoint" in selection.left_out["modelserver"]


def test_a_token_brings_the_bot_whose_refused_token_is_final(settings):
    settings.DISCORD_TOKEN = "a-token"

    bot = next(each for each in programs.select().programs if each.name == "bot")

    assert list(bot.final_codes) == [78]
    assert not any("a-token" in part for part in bot.command)


def test_the_modelserver_sees_its_own_key_and_no_other_secret(monkeypatch, settings):
    settings.MODELSERVER_API_KEY = "its-key"
    for name in programs.SECRETS:
        monkeypatch.setenv(name, "secret")

    server = next(each for each in programs.select().programs if each.name == "modelserver")

    assert server.environ is not None
    assert server.environ["MODELSERVER_API_KEY"] == "its-key"
    assert not set(programs.SECRETS) & set(server.environ)
    assert "its-key" not in server.command


@pytest.mark.parametrize(
    ("only", "without", "names"),
    [
        ("web", None, {"web"}),
        ("web, worker", None, {"web", "worker"}),
        (None, "modelserver,bot", {"web", "worker"}),
        ("web,worker", "worker", {"web"}),
    ],
)
def test_the_command_line_narrows_what_runs(only, without, names):
    assert programs.select(only=only, without=without).names() == names


@pytest.mark.parametrize(
    ("only", "words"), [("wbe", "no 'wbe' to start"), ("bot", "Nothing is left to start")]
)
def test_a_selection_that_makes_no_sense_is_refused(only, words):
    with pytest.raises(InvalidInput, match=words):
        programs.select(only=only)


def test_only_programs_that_serve_need_a_port(settings):
    settings.PORT, settings.MODELSERVER_PORT = 8100, 8101

    assert [port.number for port in programs.ports({"web", "modelserver"})] == [8100, 8101]
    assert programs.ports({"worker", "bot"}) == []
