"""Folders that are there whole or not at all, also after a kill."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from trainerbot.modelserver.blobs import disk_full_in_words, sync


@contextlib.contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Give an empty folder to fill; it becomes `target` when the block ends well.

    Two processes may fill one each for the same target: the first one's stays.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".making-", dir=target.parent))
    try:
        with disk_full_in_words():
            yield draft
            for path in draft.iterdir():
                sync(path)
            sync(draft)
        with contextlib.suppress(OSError):
            os.rename(draft, target)  # refused where the other one was first
        sync(target.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
