"""A speech process: one provider, one request after the other, until its input ends.

`python -m trainerbot.modelserver.speech hear NAME` or `say NAME`. With
`standings` it tells how all providers stand, and ends.
"""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping

import msgspec

from trainerbot.errors import TrainerBotError
from trainerbot.modelserver.speech.work import (
    Fault,
    Hear,
    Heard,
    Reply,
    Request,
    Say,
    Sound,
    Standings,
    fault_of,
)
from trainerbot.speech import Recognizer, Standing, Synthesizer
from trainerbot.speech.audio import Encoder, decode
from trainerbot.speech.registry import (
    RECOGNIZERS,
    SYNTHESIZERS,
    open_recognizer,
    open_synthesizer,
)
from trainerbot.speech.sentences import Sentences

log = logging.getLogger("trainerbot.modelserver.speech")

Answers = Iterator[tuple[Reply, bytes]]
Work = Callable[[Request, bytes], Answers]


def main() -> None:
    """Answer until the input ends, or tell the standings."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # A Ctrl-C reaches the whole group; the server says when to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a library prints must not be taken for an answer.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def tell(reply: object, data: bytes = b"") -> None:
        out.write(msgspec.json.encode(reply) + b"\n" + data)
        out.flush()

    match sys.argv[1:]:
        case ["standings"]:
            tell(Standings(_standings()))
        case ["hear", name]:
            _serve(_hearing(name), tell)
        case ["say", name]:
            _serve(_speaking(name), tell)
        case _:
            sys.exit(f"python -m trainerbot.modelserver.speech: {__doc__}")


def _serve(work: Work, tell: Callable[[object, bytes], None]) -> None:
    decoder = msgspec.json.Decoder(Request)
    source = sys.stdin.buffer
    try:
        while line := source.readline():
            request = decoder.decode(line)
            data = source.read(request.n_bytes) if isinstance(request, Hear) else b""
            try:
                for reply, more in work(request, data):
                    tell(reply, more)
            except TrainerBotError as error:
                tell(fault_of(error), b"")
            except Exception:
                log.exception("A speech provider failed")
                message = "The speech provider failed. The model server's log tells why."
                tell(Fault("ProviderUnavailable", message), b"")
    except BrokenPipeError:
        os._exit(1)  # nobody listens any more; the usual end would complain again


def _hearing(name: str) -> Work:
    recognizer: list[Recognizer] = []

    def hear(request: Request, data: bytes) -> Answers:
        assert isinstance(request, Hear)
        sound = decode(data, most_s=request.most_s)
        if not recognizer:
            recognizer.append(open_recognizer(name, os.environ))
        heard = recognizer[0].recognize(sound, language=request.language)
        told = (heard.text, heard.language, heard.provider, heard.segments, sound.duration_s)
        yield Heard(*told), b""

    return hear


def _speaking(name: str) -> Work:
    synthesizer: list[Synthesizer] = []

    def say(request: Request, _: bytes) -> Answers:
        """Yield the file as it grows: the first sentence is heard while the second is made."""
        assert isinstance(request, Say)
        if not synthesizer:
            synthesizer.append(open_synthesizer(name, os.environ))
        encoder = Encoder(request.format)
        for sentence in _sentences(request.text):
            sound = synthesizer[0].synthesize(
                sentence, language=request.language, voice=request.voice, speed=request.speed
            )
            if data := encoder.feed(sound):
                yield Sound(len(data), is_last=False), data
        data = encoder.end()
        yield Sound(len(data), is_last=True), data

    return say


def _sentences(text: str) -> list[str]:
    """Return what is said in one go, each with a letter or digit in it."""
    sentences = Sentences()
    found = [*sentences.feed(text), sentences.rest()]
    return [each for each in found if any(map(str.isalnum, each))]


def _standings() -> list[Standing]:
    hearing = [_standing(name, open_recognizer, hears=True) for name in RECOGNIZERS]
    return hearing + [_standing(name, open_synthesizer, hears=False) for name in SYNTHESIZERS]


def _standing(
    name: str,
    open_one: Callable[[str, Mapping[str, str]], Recognizer | Synthesizer],
    *,
    hears: bool,
) -> Standing:
    """Return how one provider stands; one that is set up wrongly does not hide the others."""
    try:
        return open_one(name, os.environ).standing()
    except TrainerBotError as error:
        problem = str(error)
    except Exception:
        log.exception("The speech provider %s cannot be opened", name)
        problem = "It cannot be opened. The model server's log tells why."
    return Standing(name, hears=hears, speaks=not hears, problem=problem)


if __name__ == "__main__":
    main()
