"""The SDK's client for one question after the other, of which only the words differ.

The SDK builds headers, address, timeouts and options anew for each request,
although they come out the same; that took a quarter of the processor time
between a message on Discord and its answer.
"""

from contextvars import ContextVar
from typing import Any, Final, cast

import httpx2
import openai
from openai._models import FinalRequestOptions

PATH: Final = "/chat/completions"


Came = httpx2.Response | httpx2.RequestError
"""What came of a request."""

# Of a question's first try; the SDK itself hands nothing on to whoever sends its requests.
_first_came: Final = ContextVar[Came | None]("first_came", default=None)


class _Question(httpx2.Request):
    """A request that was built here."""


class AskingClient(openai.AsyncOpenAI):
    """Builds a request as the SDK does, once, and those after it with other words.

    Waiting, trying again and all failures are the SDK's: where a first try did
    not go well, it takes over from there.
    """

    def __init__(self, *, road: httpx2.AsyncBaseTransport | None = None, **of_the_sdk: Any) -> None:
        """Send questions by `road` itself, or where there is none as the SDK sends all else."""
        super().__init__(**of_the_sdk)
        self._road = road
        self._built: dict[int, httpx2.Request] = {}  # by how many tries came before

    async def ask(self, content: bytes) -> httpx2.Response:
        """Post `content`, JSON, to the chat; the response with its body yet unread.

        Raises as `post` of the SDK's client, which it stands for.
        """
        came: Came | None = None
        if self._road is not None and (like := self._built.get(0)) is not None:
            try:
                came = await _sent(_question(content, like), self._road)
            except httpx2.RequestError as error:
                came = error
            else:
                if came.is_success:
                    return came
        options = FinalRequestOptions.construct(
            method="post", url=PATH, files=None, content=content
        )
        _first_came.set(came)
        try:
            response = await self.request(
                httpx2.Response, options, stream=True, stream_cls=openai.AsyncStream[Any]
            )
        finally:
            _first_came.set(None)
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
        if options.url != PATH or not isinstance(content, bytes):
            return super()._build_request(options, retries_taken=retries_taken)
        like = self._built.get(retries_taken)
        if like is None:
            # Each try says in its headers which one it is.
            like = super()._build_request(
                options.model_copy(update={"content": b"{}"}), retries_taken=retries_taken
            )
            self._built[retries_taken] = like
        return _question(content, like)

    async def _send_request(
        self, request: httpx2.Request, *, stream: bool, **options: Any
    ) -> httpx2.Response:
        """Spare a question the client's layers: it has no cookies, hooks and further logins."""
        if self._road is not None and isinstance(request, _Question):
            came = _first_came.get()
            _first_came.set(None)
            if came is None:
                came = await _sent(request, self._road)
            if isinstance(came, httpx2.RequestError):
                raise came
            if not came.has_redirect_location:
                return came
            await came.aclose()
        return await super()._send_request(request, stream=stream, **options)


def _question(content: bytes, like: httpx2.Request) -> _Question:
    """Return a request as one that the SDK built, with other words."""
    headers = httpx2.Headers(like.headers, encoding="ascii")
    headers["Content-Length"] = str(len(content))
    return _Question(
        like.method,
        like.url,
        headers=headers,
        stream=httpx2.ByteStream(content),
        extensions=like.extensions,
    )


async def _sent(request: httpx2.Request, road: httpx2.AsyncBaseTransport) -> httpx2.Response:
    response = await road.handle_async_request(request)
    response.request = request
    return response
