"""What may come before a request's body: uvicorn's fast parser has no limit of its own."""

import importlib.util
from typing import Any

# Far more than any client sends, a model's id in the address included.
MAX_HEAD_BYTES = 64 * 1024


class HeadTooLong(ValueError):
    """Address and headers of a request together are longer than MAX_HEAD_BYTES."""


def http_protocol() -> Any:
    """Return uvicorn's protocol with a limit on heads, checked before any key is.

    Without httptools (on PyPy) uvicorn reads by h11, which has such a limit.
    """
    if importlib.util.find_spec("httptools") is None:
        return "h11"
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    class LimitedHeads(HttpToolsProtocol):
        """Counts the head, and what of a line has come before its end."""

        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self._n_head = 0
            self._n_unfinished = 0

        def data_received(self, data: bytes) -> None:
            """Read on, or refuse and close."""
            self._n_unfinished += len(data)
            super().data_received(data)
            # The parser gathers a header until it is whole, without a word.
            if self._n_unfinished > MAX_HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("Invalid HTTP request received.")

        def on_message_begin(self) -> None:
            """Count anew."""
            self._n_head = 0
            super().on_message_begin()

        def on_url(self, url: bytes) -> None:
            """Take a piece of the address."""
            self._count(len(url))
            super().on_url(url)

        def on_header(self, name: bytes, value: bytes) -> None:
            """Take a header, or one of those that follow a body in chunks."""
            self._count(len(name) + len(value))
            super().on_header(name, value)

        def on_headers_complete(self) -> None:
            """Take the whole head."""
            self._n_unfinished = 0
            super().on_headers_complete()

        def on_body(self, body: bytes) -> None:
            """Take a piece of the body: that has its limits where it is read."""
            self._n_unfinished = 0
            super().on_body(body)

        def on_message_complete(self) -> None:
            """Take the end of the body."""
            self._n_unfinished = 0
            super().on_message_complete()

        def _count(self, n_bytes: int) -> None:
            self._n_unfinished = 0
            # Each header costs some memory, however short it is.
            self._n_head += n_bytes + 32
            if self._n_head > MAX_HEAD_BYTES:
                # The parser ends with it, and uvicorn answers 400.
                raise HeadTooLong

    return LimitedHeads
