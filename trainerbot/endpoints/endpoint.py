"""Where models live: one address that speaks OpenAI's API, and what it offers."""

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from trainerbot.errors import InvalidInput

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address that speaks OpenAI's API, and the key to it.

    `base_url` includes the version path ("http://127.0.0.1:8001/v1").
    `timeout_s` is the longest silence, not the longest answer. `max_retries`
    counts tries after the first, of calls that failed before they began.
    `streams` is False where answers shall be asked for whole.
    Raises InvalidInput when address or key cannot be sent at all.
    """

    name: str
    base_url: str
    api_key: str = field(repr=False)
    timeout_s: float = 120.0
    max_retries: int = 2
    streams: bool = True

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.base_url)
            _ = parts.port
        except ValueError as error:
            raise InvalidInput(f"The address of endpoint {self.name} is not a URL.") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidInput(
                f"The address of endpoint {self.name} must begin with http:// or https://."
            )
        if not self.api_key.isascii() or (self.api_key and not self.api_key.isprintable()):
            raise InvalidInput(
                f"The API key of endpoint {self.name} holds characters that no key has. "
                "Copy it again."
            )

    @property
    def address(self) -> str:
        """The host and port, fit to be shown: without user, password, path and query."""
        parts = urlsplit(self.base_url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{host}:{parts.port}" if parts.port else f"{host}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine, where no proxy leads."""
        return urlsplit(self.base_url).hostname in _LOOPBACK


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One row of GET /v1/models; `created` in Unix seconds, `details` the row's other fields."""

    id: str
    owned_by: str
    created: int | None = None
    details: dict[str, Any] = field(default_factory=dict)
