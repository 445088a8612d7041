"""Word error rate and real-time factor of every speech provider that is installed.

    .venv/bin/python benchmarks/speech.py [--network] [--load]

Each synthesizer that can be used says ten sentences; each recognizer that can
be used hears them. PIPER_VOICE and FASTER_WHISPER_MODEL bring Piper and Whisper
in. --network asks Google too. --load transcribes eight recordings of a minute at
once on a model server in this process, and tells memory and loop lag:
what a task waits beyond the 5 ms that it asked for, and how long the loop's own
thread worked meanwhile, which other programs do not change.
"""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import contextlib
import os
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.trainerbot.speech.grammar import SENTENCES, write_grammar  # noqa: E402 (needs the root)
from trainerbot.errors import ProviderRefused, TrainerBotError  # noqa: E402 (as above)
from trainerbot.speech import Pcm, Recognizer, Synthesizer  # noqa: E402 (as above)
from trainerbot.speech.audio import decode, encode, levelled  # noqa: E402 (as above)
from trainerbot.speech.registry import (  # noqa: E402 (as above)
    RECOGNIZERS,
    SYNTHESIZERS,
    open_recognizer,
    open_synthesizer,
)

RUSSIAN = (
    "Включи свет на кухне",
    "Какая сегодня погода",
    "Расскажи мне короткую историю",
    "Сколько людей сейчас в сети",
    "Позвони брату завтра утром",
    "Прочитай последнее сообщение ещё раз",
    "Добавь яблоки в список покупок",
    "Поезд отправляется в семь часов",
    "Поставь тихую музыку",
    "Спасибо большое и доброй ночи",
)
LANGUAGES = {"en-US": SENTENCES, "ru-RU": RUSSIAN}
N_AT_ONCE = 8
MINUTE_S = 60.0


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower().replace("ё", "е"))  # noqa: RUF001 (a Russian letter)


def n_errors(wanted: list[str], got: list[str]) -> int:
    """Words to be put in, left out or exchanged (Levenshtein)."""
    row = list(range(len(got) + 1))
    for i, word in enumerate(wanted, start=1):
        before, row = row, [i]
        for j, heard in enumerate(got, start=1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (word != heard)))
    return row[-1]


def synthesizers(settings: Mapping[str, str], *, network: bool) -> Iterator[Synthesizer]:
    for name in SYNTHESIZERS:
        opened = open_synthesizer(name, settings)
        standing = opened.standing()
        if not standing.problem and (network or standing.is_offline):
            yield opened


def recognizers(
    settings: Mapping[str, str], grammar: Path, *, network: bool
) -> Iterator[tuple[str, Recognizer]]:
    for name in RECOGNIZERS:
        opened = open_recognizer(name, settings)
        standing = opened.standing()
        if not standing.problem and (network or standing.is_offline):
            yield name, opened
            if name == "sphinx":
                fixed = {**settings, "SPHINX_GRAMMAR": str(grammar)}
                yield "sphinx, grammar", open_recognizer(name, fixed)


def say_all(mouth: Synthesizer, language: str, sentences: tuple[str, ...]) -> list[Pcm]:
    """Say the sentences, and tell how long it took."""
    voice = "f2" if mouth.name == "espeak" else ""
    mouth.synthesize(sentences[0], language=language, voice=voice)  # loads what it needs
    spoken, took_s = [], []
    for sentence in sentences:
        begun = time.perf_counter()
        spoken.append(mouth.synthesize(f"{sentence}.", language=language, voice=voice))
        took_s.append(time.perf_counter() - begun)
    length_s = sum(sound.duration_s for sound in spoken)
    print(
        f"{mouth.name:>16} speaks {language}: real-time factor {sum(took_s) / length_s:.3f}, "
        f"median {1000 * statistics.median(took_s):.0f} ms a sentence"
    )
    return spoken


def hear_all(
    name: str,
    ear: Recognizer,
    language: str,
    sentences: tuple[str, ...],
    spoken: list[Pcm],
    of: str,
) -> None:
    # As they come from Discord: 48 kHz Opus, levelled, then 16 kHz.
    sounds = [levelled(decode(encode(sound, "opus"), most_s=60)) for sound in spoken]
    try:
        ear.recognize(sounds[0], language=language)  # loads its model
    except ProviderRefused as error:
        print(f"{name:>16} hears {of} in {language}: {error}")
        return
    errors = n_words = 0
    begun = time.perf_counter()
    for sentence, sound in zip(sentences, sounds, strict=True):
        try:
            got = ear.recognize(sound, language=language).text
        except TrainerBotError:
            got = ""
        errors += n_errors(words(sentence), words(got))
        n_words += len(words(sentence))
    factor = (time.perf_counter() - begun) / sum(sound.duration_s for sound in sounds)
    print(
        f"{name:>16} hears {of} in {language}: {100 * errors / n_words:.1f} % of words wrong, "
        f"real-time factor {factor:.2f}"
    )


def rss_mib(pid: int) -> float:
    with contextlib.suppress(FileNotFoundError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


async def load(settings: dict[str, str], provider: str) -> None:
    """Serve eight transcriptions of a minute at once, and watch loop and memory."""
    import uvicorn

    from trainerbot.modelserver.api.app import make_app
    from trainerbot.modelserver.bases import Bases
    from trainerbot.modelserver.catalog import Catalog
    from trainerbot.modelserver.runtimes.memory import Memory
    from trainerbot.modelserver.speech.desk import SpeechDesk
    from trainerbot.modelserver.store import Store

    lags: list[float] = []
    own: list[float] = []
    peaks = [0.0, 0.0]
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(Store(Path(folder))) as store:
        desk = SpeechDesk(settings)
        app = make_app(
            store,
            Catalog(store, Bases(()), {}, Memory(1)),
            desk,
            data=Path(folder),
            api_keys=[],
            max_file_bytes=2**20,
            max_upload_bytes=2**20,
            max_audio_bytes=25 * 2**20,
            max_audio_s=600,
            warm_up=False,
        )
        config = uvicorn.Config(app, port=0, log_level="warning")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 (uvicorn sets no event)
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        done = threading.Event()

        async def watch() -> None:
            while not done.is_set():
                asked, busy = time.perf_counter(), time.thread_time()
                await asyncio.sleep(0.005)
                lags.append(time.perf_counter() - asked - 0.005)
                own.append(time.thread_time() - busy)

        def weigh() -> None:
            while not done.wait(0.25):
                peaks[0] = max(peaks[0], rss_mib(os.getpid()))
                peaks[1] = max(peaks[1], sum(rss_mib(pid) for pid in desk.pids()))

        mouth = open_synthesizer("espeak", settings)
        text = ". ".join(SENTENCES) + "."
        minute = bytearray()
        while len(minute) < 2 * 22_050 * MINUTE_S:
            minute += mouth.synthesize(text, language="en-US", voice="f2").data
        recording = encode(Pcm(bytes(minute[: int(2 * 22_050 * MINUTE_S)]), 22_050), "opus")
        watching = asyncio.create_task(watch())
        weighing = asyncio.create_task(asyncio.to_thread(weigh))
        begun = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(N_AT_ONCE) as threads:
            asked = [
                asyncio.get_running_loop().run_in_executor(threads, ask, port, provider, recording)
                for _ in range(N_AT_ONCE)
            ]
            heard = await asyncio.gather(*asked)
        took_s = time.perf_counter() - begun
        done.set()
        await asyncio.gather(watching, weighing)
        server.should_exit = True
        await serving
    lags.sort()
    own.sort()
    print(
        f"{N_AT_ONCE} recordings of a minute at once, {provider}: {took_s:.1f} s, "
        f"{sum(bool(text) for text in heard)} heard; loop lag p99.9 "
        f"{1000 * lags[int(0.999 * len(lags))]:.1f} ms, worst {1000 * lags[-1]:.1f} ms of "
        f"{len(lags):,}, of which the loop itself was busy p99.9 "
        f"{1000 * own[int(0.999 * len(own))]:.1f} ms; server {peaks[0]:.0f} MiB (with this benchmark), speech processes "
        f"{peaks[1]:.0f} MiB"
    )


def ask(port: int, provider: str, recording: bytes) -> str:
    import requests

    answer: Any = requests.post(
        f"http://127.0.0.1:{port}/v1/audio/transcriptions",
        files={"file": ("minute.ogg", recording)},
        data={"model": provider, "language": "en-US"},
        timeout=900,
    )
    answer.raise_for_status()
    return str(answer.json()["text"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", action="store_true", help="ask Google too")
    parser.add_argument("--load", action="store_true", help="eight recordings at once instead")
    parser.add_argument("--provider", default="sphinx", help="who hears under load")
    arguments = parser.parse_args()
    settings = dict(os.environ)
    if arguments.load:
        asyncio.run(load(settings, arguments.provider))
        return
    with tempfile.TemporaryDirectory() as folder:
        grammar = write_grammar(Path(folder) / "orders.jsgf")
        ears = list(recognizers(settings, grammar, network=arguments.network))
        for mouth in synthesizers(settings, network=arguments.network):
            for language, sentences in LANGUAGES.items():
                try:
                    spoken = say_all(mouth, language, sentences)
                except TrainerBotError as error:
                    print(f"{mouth.name:>16} speaks {language}: {error}")
                    continue
                for name, ear in ears:
                    if language == "en-US" or ear.standing().languages == ():
                        hear_all(name, ear, language, sentences, spoken, mouth.name)


if __name__ == "__main__":
    main()
