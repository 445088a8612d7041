"""The process of one transformers model: questions on stdin, answers on stdout, a line each.

It answers one question at a time, oldest first, and ends when its stdin does.
"""

import os
import queue
import sys
import threading
import traceback
from typing import Any

import msgspec

from trainerbot.errors import InvalidInput, TrainerBotError
from trainerbot.modelserver.runtimes.base import ContextTooLong
from trainerbot.modelserver.runtimes.transformers_runtime.lines import (
    Ask,
    Chunk,
    Count,
    Counted,
    Embed,
    Ended,
    Fault,
    Forget,
    FromModel,
    Ready,
    Setup,
    Stop,
    ToModel,
)


def main() -> None:
    """Load the model of the first line, and answer until the server is gone."""
    # Whatever a library prints is no line of ours.
    told = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    decode = msgspec.json.Decoder(ToModel).decode

    def tell(line: FromModel) -> None:
        told.write(msgspec.json.encode(line) + b"\n")

    setup = decode(sys.stdin.buffer.readline())
    assert isinstance(setup, Setup)
    from trainerbot.modelserver.runtimes.transformers_runtime.model import Model

    try:
        model = Model(setup)
    except TrainerBotError as error:
        tell(Fault(-1, "unavailable", str(error)))
        return
    except Exception:
        traceback.print_exc()
        tell(
            Fault(
                -1,
                "unavailable",
                f"The base model {setup.base.id} could not be loaded: its files are damaged, of "
                "an unknown kind, or too large for this machine's memory.",
            )
        )
        return
    tell(Ready(model.n_bytes))
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stopped: set[int] = set()

    def read() -> None:
        for line in sys.stdin.buffer:
            asked = decode(line)
            if isinstance(asked, Stop):
                stopped.add(asked.number)
            else:
                waiting.put(asked)
        os._exit(0)  # the server is gone, and nobody waits for the answer in hand

    threading.Thread(target=read, daemon=True).start()
    while True:
        match waiting.get():
            case Forget() as asked:
                model.forget(asked.adapter_id)
            case Count() as asked:
                tell(Counted(asked.number, model.count(asked.text)))
            case Ask() | Embed() as asked:
                tell(_answered(model, asked, stopped, tell))
                stopped.discard(asked.number)


def _answered(model: Any, asked: Ask | Embed, stopped: set[int], tell: Any) -> FromModel:
    def is_stopped() -> bool:
        return asked.number in stopped

    try:
        if isinstance(asked, Embed):
            for some in model.embed(asked, is_stopped):
                tell(some)
        else:
            for chunk in model.answer(asked, is_stopped):
                tell(Chunk(asked.number, chunk))
    except ContextTooLong as error:
        return Fault(asked.number, "too_long", str(error))
    except InvalidInput as error:
        return Fault(asked.number, "invalid", str(error))
    except BrokenPipeError:
        os._exit(0)
    except Exception:
        traceback.print_exc()
        return Fault(
            asked.number,
            "unavailable",
            "The language model failed on this request. Try again.",
        )
    return Ended(asked.number)


if __name__ == "__main__":
    main()
