from enum import IntEnum

import pytest
from discord import utils

from botrunner import gateway
from trainerbot.errors import InvalidInput


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:4000/api/v10", "http://localhost:4000/api/v10", "http://[::1]:4/api/v10"],
)
def test_a_server_on_this_machine_may_stand_in_for_discord(address):
    assert gateway.checked(address).port


@pytest.mark.parametrize(
    "address",
    [
        "http://discord.example/api/v10",
        "https://127.0.0.1:4000/api/v10",
        "http://127.0.0.1.discord.example/api/v10",
        "http://127.0.0.1@discord.example/api/v10",
        "http://token@127.0.0.1/api/v10",
        "http://10.0.0.1/api/v10",
        "http://127.0.0.1:port/api",
        "127.0.0.1:4000",
        "nonsense",
    ],
)
def test_the_token_goes_nowhere_else(address):
    with pytest.raises(InvalidInput, match="this machine only"):
        gateway.checked(address)


class Kind(IntEnum):
    REPLY = 1


@pytest.mark.parametrize(
    ("text", "thing"),
    [
        ('{"a":"é \\u2028"}', {"a": "é \u2028"}),
        ('{"id":123456789012345678901234567890}', {"id": 123456789012345678901234567890}),
        ('"\\ud83d half of a pair"', "\ud83d half of a pair"),
    ],
)
def test_discords_json_is_read_whatever_it_holds(text, thing):
    gateway.read_json_quickly()

    assert utils._from_json(text) == thing
    assert utils._from_json(utils._to_json(thing)) == thing


def test_our_json_is_written_whatever_it_holds():
    gateway.read_json_quickly()

    assert utils._to_json({"type": Kind.REPLY, "tuple": (1, None)}) == '{"type":1,"tuple":[1,null]}'
    assert utils._to_json({True: 1}) == '{"true":1}'


@pytest.mark.parametrize("text", ["", "{", "<html>"])
def test_what_is_no_json_is_refused_as_before(text):
    gateway.read_json_quickly()

    with pytest.raises(ValueError, match=r"Expecting"):
        utils._from_json(text)
