"""What the server's own processes (trainers, exports, models) are started with."""

import os
from pathlib import Path

import trainerbot


def environment_of_child(**added: str) -> dict[str, str]:
    """Return this process's environment for a child that runs our code, with `added` to it.

    What proves who may ask is no business of a process that runs models or
    libraries that train: keys are left out.
    """
    return {
        **{name: value for name, value in os.environ.items() if "API_KEY" not in name},
        "PYTHONPATH": str(Path(trainerbot.__path__[0]).parent),
        **added,
    }
