"""The SDK's requests on aiohttp's connections: the transport alone costs 0.36 ms instead of 0.93.

Processor time for one whole answer of 40 words, one after the other
(docs/decisions/0013-endpoint-transport.md); the rest of the SDK's client, its
headers, retries and timeouts, stays as it is and comes on top.
"""

import io
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

import aiohttp
import httpx2
import yarl

MOST_CONNECTIONS: Final = 1_000  # as the SDK's own
KEPT_ALIVE_S: Final = 15.0
PIECEMEAL_BYTES: Final = 2**18  # sent at once, more would hold the event loop up
IS_COMPLETE: Final = "is_complete"
"""Extension of a response: says whether all of its body has come, read or not."""


class AiohttpTransport(httpx2.AsyncBaseTransport):
    """Sends what the SDK's client would, without proxies. For one event loop."""

    def __init__(self, *, is_secure: bool) -> None:
        """Trust whom the SDK's own client trusts. To read whom that is takes a while."""
        self._certificates = httpx2.create_ssl_context() if is_secure else True
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return its response, the body yet unread."""
        allowed_s = request.extensions.get("timeout", {})
        timeout = _timeout(*map(allowed_s.get, ("pool", "connect", "read")))
        content = await request.aread()
        with _as_httpx(request, httpx2.ConnectError):
            response = await self._opened().request(
                request.method,
                _address(str(request.url)),
                headers=_fields(request.headers),
                data=_in_pieces(content) if len(content) > PIECEMEAL_BYTES else content or None,
                timeout=timeout,
                allow_redirects=False,
            )
        return httpx2.Response(
            response.status,
            headers=list(response.raw_headers),
            stream=_Body(request, response),
            extensions={IS_COMPLETE: response.content.is_eof},
        )

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Made here, as it belongs to the event loop that first sends.
            connector = aiohttp.TCPConnector(
                limit=MOST_CONNECTIONS, keepalive_timeout=KEPT_ALIVE_S, ssl=self._certificates
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                auto_decompress=False,  # the SDK's client does it
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
        return self._session


@lru_cache(maxsize=64)
def _timeout(
    pool_s: float | None, connect_s: float | None, read_s: float | None
) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(
        total=None, connect=pool_s, sock_connect=connect_s, sock_read=read_s
    )


@lru_cache(maxsize=64)
def _address(url: str) -> yarl.URL:
    return yarl.URL(url, encoded=True)


def _fields(headers: httpx2.Headers) -> list[tuple[str, str]]:
    # In the encoding that the SDK has them in; asked for each of them, the client guesses it anew.
    encoding = headers.encoding
    return [(name.decode(encoding), value.decode(encoding)) for name, value in headers.raw]


def _in_pieces(content: bytes) -> io.BytesIO:
    """Return what aiohttp reads and sends piece by piece."""
    return io.BytesIO(content)


class _Body(httpx2.AsyncByteStream):
    def __init__(self, request: httpx2.Request, response: aiohttp.ClientResponse) -> None:
        self._request = request
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx(self._request, httpx2.ReadError):
            async for piece in self._response.content.iter_any():
                yield piece

    async def aclose(self) -> None:
        # What was read to its end keeps its connection for the next request.
        self._response.close()

    def __del__(self) -> None:
        # Whoever was cancelled twice, as by a stop in a hurry, left it open.
        self._response.close()


@contextmanager
def _as_httpx(request: httpx2.Request, otherwise: type[httpx2.RequestError]) -> Iterator[None]:
    """Raise the SDK's client's own errors, by which it decides what to try again."""
    try:
        yield
    except aiohttp.ConnectionTimeoutError as error:
        raise httpx2.ConnectTimeout(str(error), request=request) from error
    except TimeoutError as error:
        raise httpx2.ReadTimeout(str(error), request=request) from error
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError) as error:
        raise httpx2.RemoteProtocolError(str(error), request=request) from error
    except (aiohttp.ClientError, OSError) as error:
        raise otherwise(str(error), request=request) from error
