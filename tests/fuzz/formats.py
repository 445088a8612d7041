"""Any bytes, taken for any format: words or rows come back, never another exception.

Run by hand, since atheris has no wheel for every Python; in a virtual
environment of its own, with ours behind it:

    pip install --no-deps atheris
    PYTHONPATH=.:.venv/lib/python3.11/site-packages python tests/fuzz/formats.py CORPUS

Parquet and workbooks are parsed in a process that is not watched from here;
`tests/trainerbot/formats/tables` mutates those.
"""

import os
import sys
import tempfile
from itertools import islice
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["trainerbot"]):
    from trainerbot import formats
    from trainerbot.errors import TrainerBotError
    from trainerbot.formats.catalogue import FORMATS

NAMES = ("a.jsonl", "a.json", "a.csv", "a.tsv", "a.txt", "a.log", "a.zip", "job_ids.json", "a.gz")
OPTIONS = (
    formats.Options(),
    formats.Options(label="positive"),
    formats.Options(mapping={"prompt": "a", "completion": "b"}),
    formats.Options(mapping={"text": "a"}, label="x"),
)
FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-", dir=os.environ.get("FUZZ_FOLDER")))


def one(data: bytes) -> None:
    """Three bytes say the name, the format and the options; the rest is the file."""
    if len(data) < 3:
        return
    name, chosen, option = data[0] % len(NAMES), data[1], data[2]
    body = data[3:]
    if body.startswith(b"PAR1"):
        return
    path = FOLDER / NAMES[name]
    path.write_bytes(body)
    try:
        found = formats.detect(path)
        names = list(FORMATS)
        format = found.format if chosen % 2 and found.format else names[chosen % len(names)]
        options = OPTIONS[option % len(OPTIONS)]
        rows = list(islice(formats.read(path, format=format, options=options), 200))
        for row in rows:
            if isinstance(row, formats.Row):
                formats.canonical(row.record)
        formats.check(path, format=format, options=options, target="openai", max_bytes=10**8)
        formats.excerpt(path, 1 + option, format=format, options=options)
    except TrainerBotError:
        pass
    finally:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
