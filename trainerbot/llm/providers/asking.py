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


class _Question(httpx2.Request):
    """A request that was built here."""


class AskingClient(openai.AsyncOpenAI):
    """Builds a request as the SDK does, once, and those after it with other words.

    Waiting, trying again and all failures are the SDK's.
    """

    _asked: FinalRequestOptions | None = None

    def __init__(self, *, road: httpx2.AsyncBaseTransport | None = None, **of_the_sdk: Any) -> None:
        """Send questions by `road` itself, or where there is none as the SDK sends all else."""
        super().__init__(**of_the_sdk)
        self._road = road

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
        return _Question(
            like.method,
            like.url,
            headers=headers,
            stream=httpx2.ByteStream(content),
            extensions=like.extensions,
        )

    async def _send_request(
        self, request: httpx2.Request, *, stream: bool, **options: Any
    ) -> httpx2.Response:
        """Spare a question the client's layers: it has no cookies, hooks and further logins."""
        if self._road is not None and isinstance(request, _Question):
            response = await self._road.handle_async_request(request)
            response.request = request
            if not response.has_redirect_location:
                return response
            await response.aclose()
        return await super()._send_request(request, stream=stream, **options)
