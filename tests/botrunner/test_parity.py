"""What Discord can do the dashboard can do as well."""

import pytest
from django.urls import get_resolver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord, pytest.mark.origin(49)]

# By command: the address that does the same. Empty for what only makes sense on Discord.
ADDRESSES = {
    "archive": "dataset-version-export",
    "ask": "playground",
    "correct": "answer-correct",
    "dashboard": "",
    "feedback": "answer-feedback",
    "getfile": "dataset-export",
    "hi": "",
    "import": "dataset-upload",
    "instruction": "overview",
    "jobs": "job-list",
    "join": "",
    "language": "",
    "leave": "",
    "link": "account",
    "listen": "",
    "models": "model-list",
    "persona": "server-answers",
    "privacy": "conversation-list",
    "proof": "correction-proof",
    "reset": "playground",
    "select_dataset": "job-new",
    "status": "job-detail",
    "test": "evaluation-new",
    "train": "job-new",
    "unlink": "account-unlink",
    "use": "model-use",
    "why": "answer",
}


async def test_each_command_has_an_address_on_the_dashboard(simcord_env):
    names = {command.name for command in simcord_env.bot.commands}
    known = {name for name in get_resolver().reverse_dict if isinstance(name, str)}

    assert names == set(ADDRESSES)
    assert {address for address in ADDRESSES.values() if address} <= known
