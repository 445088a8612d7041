"""What an answer costs its key, where tokens have a limit."""

from contextlib import aclosing

from starlette.requests import Request

from trainerbot.modelserver.api.chat.answering import Answers
from trainerbot.modelserver.api.limits import has_token_limit, spend_tokens
from trainerbot.modelserver.runtimes.base import Finish, Piece


def metered(request: Request, answers: Answers) -> Answers:
    """Return `answers`, counted when they end: also when the client goes away before."""
    return _counted(request, answers) if has_token_limit(request) else answers


async def _counted(request: Request, answers: Answers) -> Answers:
    n_read = n_written = n_unfinished = 0
    try:
        async with aclosing(answers):
            async for index, event in answers:
                if isinstance(event, Finish):
                    n_read = n_read or event.prompt_tokens
                    n_written, n_unfinished = n_written + event.completion_tokens, 0
                elif isinstance(event, Piece):
                    # About a token each; the end has the true count.
                    n_unfinished += 1
                yield index, event
    finally:
        spend_tokens(request, n_read + n_written + n_unfinished)
