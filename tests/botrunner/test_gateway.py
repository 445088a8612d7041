import pytest

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
