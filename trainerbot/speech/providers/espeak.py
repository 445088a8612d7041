"""eSpeak NG: offline, a hundred languages, robotic. It is GPL, so it runs in its own process."""

import functools
from collections.abc import Mapping
from ctypes.util import find_library
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from trainerbot.errors import ProviderRefused, ProviderUnavailable
from trainerbot.speech.contracts import LanguageUnknown, Pcm, SpeechAbsent, Standing, Synthesizer
from trainerbot.speech.providers.apart import Program

_WORDS_A_MINUTE: Final = 165
_SLOWEST, _FASTEST = 80, 450
_TIMEOUT_S: Final = 30.0
_SYSTEM_DATA: Final = (
    "/usr/share/espeak-ng-data",
    "/usr/lib/x86_64-linux-gnu/espeak-ng-data",
    "/usr/lib/aarch64-linux-gnu/espeak-ng-data",
    "/opt/homebrew/share/espeak-ng-data",
    "/usr/local/share/espeak-ng-data",
)


class Espeak(Synthesizer):
    """Speaks by the library that the package espeakng-loader brings, or by the system's.

    Voices are eSpeak's variants ("f2", "m3", "whisper").
    """

    name = "espeak"

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._program: Program | None = None

    def standing(self) -> Standing:
        """See `Synthesizer.standing`."""
        found = _found()
        if found is None:
            problem = "Neither the package espeakng-loader nor eSpeak NG is installed."
            return Standing(self.name, hears=False, speaks=True, problem=problem)
        data = found[1]
        primaries = sorted({tag.partition("-")[0] for tag in _languages(data)})
        return Standing(
            self.name, hears=False, speaks=True, languages=tuple(primaries), voices=_voices(data)
        )

    def synthesize(self, text: str, *, language: str, voice: str = "", speed: float = 1.0) -> Pcm:
        """See `Synthesizer.synthesize`."""
        found = _found()
        if found is None:
            raise SpeechAbsent(self.standing().problem)
        library, data = found
        known = _languages(data)
        tag = language.lower()
        spoken = known.get(tag) or known.get(tag.partition("-")[0])
        if spoken is None:
            raise LanguageUnknown(self.name, language)
        if voice and voice not in _voices(data):
            raise ProviderRefused(
                "The speech provider espeak has no such voice.", code="voice_not_found"
            )
        if self._program is None:
            # Without site-packages it starts in a fiftieth of a second.
            self._program = Program("espeak_program.py", (library, data), options=("-I", "-S"))
        rate = max(_SLOWEST, min(_FASTEST, round(_WORDS_A_MINUTE * speed)))
        sound = self._program.ask(
            {
                "text": text.replace("\0", " "),
                "voice": f"{spoken}+{voice}" if voice else spoken,
                "words_a_minute": rate,
            },
            timeout_s=_TIMEOUT_S,
        )
        if not sound.data:
            raise ProviderUnavailable("The voice made no sound of this text. Try another.")
        return sound

    def close(self) -> None:
        """End eSpeak's process."""
        if self._program is not None:
            self._program.close()


@functools.cache
def _found() -> tuple[str, str] | None:
    """Return the paths of library and data, without loading either; None where there is none."""
    spec = find_spec("espeakng_loader")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        for name in ("libespeak-ng.so", "libespeak-ng.dylib", "espeak-ng.dll"):
            if (package / name).is_file():
                return str(package / name), str(package / "espeak-ng-data")
    data = next((folder for folder in _SYSTEM_DATA if Path(folder).is_dir()), None)
    library = find_library("espeak-ng")
    return (library, data) if library and data else None


@functools.cache
def _languages(data: str) -> dict[str, str]:
    """Return eSpeak's voices by the tags that their files declare, in small letters."""
    best: dict[str, tuple[int, str]] = {}
    for path in sorted(Path(data, "lang").rglob("*")):
        if not path.is_file():
            continue
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("language "):
                _, tag, *rank = line.split()
                # Of several voices for a language the file with the lowest number is meant.
                told = (int(rank[0]) if rank and rank[0].isdecimal() else 5, path.name)
                best[tag.lower()] = min(told, best.get(tag.lower(), told))
    return {tag: name for tag, (_, name) in best.items()}


@functools.cache
def _voices(data: str) -> tuple[str, ...]:
    return tuple(sorted(path.name for path in Path(data, "voices", "!v").glob("*")))
