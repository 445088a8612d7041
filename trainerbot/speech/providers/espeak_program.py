"""eSpeak NG in a process that holds nothing else of ours (it is GPL): JSON in, samples out.

Arguments: the library's path, and the folder of its data or "". Each line of
input asks {"text", "voice", "words_a_minute"}; the answer is a line {"rate_hz",
"n_bytes"} and the samples, or a line {"problem", "code"}. Standard library only.
"""

import ctypes
import json
import sys
from typing import Any

_SYNCHRONOUS = 2
_UTF8 = 1
_RATE = 1  # the parameter: words a minute


def main() -> None:
    """Answer until the input ends."""
    library, data = sys.argv[1:3]
    espeak = ctypes.CDLL(library)
    rate_hz = espeak.espeak_Initialize(_SYNCHRONOUS, 0, data.encode() or None, 0)
    made = bytearray()

    def take(samples: int | None, n_samples: int, _events: Any) -> int:
        if samples and n_samples > 0:
            made.extend(ctypes.string_at(samples, 2 * n_samples))
        return 0

    # Kept in a name: what only the library holds would be collected.
    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(take)
    espeak.espeak_SetSynthCallback(callback)
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        made.clear()
        if rate_hz <= 0:
            _tell({"problem": "eSpeak NG does not find its data. Install it again."})
        elif espeak.espeak_SetVoiceByName(asked["voice"].encode()) != 0:
            _tell({"problem": "eSpeak NG has no such voice.", "code": "voice_not_found"})
        else:
            espeak.espeak_SetParameter(_RATE, int(asked["words_a_minute"]), 0)
            text = asked["text"].encode() + b"\0"
            espeak.espeak_Synth(text, ctypes.c_size_t(len(text)), 0, 1, 0, _UTF8, None, None)
            _tell({"rate_hz": rate_hz, "n_bytes": len(made)}, bytes(made))


def _tell(head: dict[str, Any], samples: bytes = b"") -> None:
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + samples)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
