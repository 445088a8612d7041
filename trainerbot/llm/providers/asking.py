"""The SDK's client for one question after the other, of which only the words differ.

The SDK builds headers, address, timeouts and options anew for each request,
although they come out the same; that took a quarter of the processor time
between a message on Discord and its answer.
"""

from typing import Any, Final, cast

import httpx2
import openai
from openai._models import FinalRequestOptions

PATH: Final = "/chat/completions"


class AskingClient(openai.AsyncOpenAI):
    """Builds a request as the SDK does, once, and those after it with other words.

    Waiting, trying again and all failures are the SDK's.
    """

    _asked: FinalRequestOptions | None = None

    async def ask(self, content: bytes) -> httpx2.Response:
        """Post `content`, JSON, to the chat; the response with its body yet unread.

        Raises as `post` of the SDK's client, which it stands for.
        """
        if self._asked is None:
            self._asked = FinalRequestOptions.construct(method="post", url=PATH, files=None)
            self._built: dict[int, httpx2.Request] = {}
        response = await self.request(
            httpx2.Response,
            self._asked.model_copy(update={"content": content}),
            stream=True,
            stream_cls=openai.AsyncStream[Any],
        )
        # Typed as the SDK's own stream; `cast_to` makes it the client's response.
        return cast("httpx2.Response", response)

    @property
    def user_agent(self) -> str:
        """As the SDK's own client is called."""
        return f"AsyncOpenAI/Python {openai.__version__}"

    def _build_request(
        self, options: FinalRequestOptions, *, retries_taken: int = 0
    ) -> httpx2.Request:
        content = options.content
        if self._asked is None or options.url != PATH or not isinstance(content, bytes):
            return super()._build_request(options, retries_taken=retries_taken)
        like = self._built.get(retries_taken)
        if like is None:
            # Each try says in its headers which one it is.
            like = super()._build_request(
                options.model_copy(update={"content": b"{}"}), retries_taken=retries_taken
            )
            self._built[retries_taken] = like
        headers = httpx2.Headers(like.headers, encoding="ascii")
        headers["Content-Length"] = str(len(content))
        return httpx2.Request(
            like.method,
            like.url,
            headers=headers,
            stream=httpx2.ByteStream(content),
            extensions=like.extensions,
        )
