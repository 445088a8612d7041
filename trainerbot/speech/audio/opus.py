"""A libopus for whoever speaks Discord's packets: the system's, or the one that PyAV brings."""

import ctypes
import functools
from collections.abc import Iterator
from ctypes.util import find_library
from pathlib import Path

import av

from trainerbot.errors import ProviderUnavailable


@functools.cache
def load_opus() -> str:
    """Return the path or name of a libopus that loads here.

    Raises ProviderUnavailable, with what to install, where there is none. The
    first call takes a tenth of a second; it may start a process.
    """
    for candidate in _candidates():
        try:
            ctypes.CDLL(candidate)
        except OSError:
            continue
        return candidate
    raise ProviderUnavailable(
        "The library libopus is missing, so voice channels stay silent. Install it (libopus0 on "
        "Debian, opus on other systems)."
    )


def _candidates() -> Iterator[str]:
    if found := find_library("opus"):
        yield found
    package = Path(av.__file__).parent
    # Where wheels keep what they bring: Linux and Windows beside, macOS within the package.
    for folder in (package.parent / "av.libs", package / ".dylibs"):
        for path in sorted(folder.glob("*opus*")):
            yield str(path)
