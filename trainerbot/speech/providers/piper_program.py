"""Piper in a process that holds nothing else of ours (it is GPL): JSON in, samples out.

Arguments: the path of a voice (.onnx), and a folder of packages or "". Each line of input asks {"text", "speed"};
the answer is a line {"rate_hz", "n_bytes"} and the samples, or a line {"problem"}.
"""

import json
import sys
from typing import Any


def main() -> None:
    """Answer until the input ends."""
    # What a library prints must not be taken for an answer.
    out, sys.stdout = sys.stdout.buffer, sys.stderr
    path, packages = sys.argv[1:3]
    if packages:
        sys.path.append(packages)
    from piper import PiperVoice, SynthesisConfig

    voice = PiperVoice.load(path)
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        config = SynthesisConfig(length_scale=1 / asked["speed"])
        samples = b"".join(
            chunk.audio_int16_bytes for chunk in voice.synthesize(asked["text"], config)
        )
        head: dict[str, Any] = {"rate_hz": voice.config.sample_rate, "n_bytes": len(samples)}
        out.write(json.dumps(head).encode() + b"\n" + samples)
        out.flush()


if __name__ == "__main__":
    main()
