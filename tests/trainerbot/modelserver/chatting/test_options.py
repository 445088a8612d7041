"""How a request's parameters become what a runtime is asked."""

import pytest

from trainerbot.modelserver.api.chat import options
from trainerbot.modelserver.api.chat.bodies import ChatBody, MessageBody


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_no_wish_for_tokens_is_larger_than_a_runtime_can_count(name):
    body = ChatBody("tiny", [MessageBody("user", "Hello.")], **{name: 10**18})

    assert options.read(body).max_tokens == 2**31 - 1
