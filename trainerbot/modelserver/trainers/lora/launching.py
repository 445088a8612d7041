"""One training process, or one for each GPU by torchrun."""

import subprocess
import sys
from pathlib import Path

import msgspec

from trainerbot.modelserver.trainers.task import WORKER_DIED, Task

_WORKER = "trainerbot.modelserver.trainers.lora"


def launch(task: Task) -> None:
    """Train here, or in `n_processes` processes that share this one's stdin and stdout."""
    n_processes = task.n_processes or _n_gpus()
    if n_processes < 2:
        from trainerbot.modelserver.trainers.lora.work import work

        work(task)
        return
    path = Path(task.work) / "task.json"
    path.write_bytes(msgspec.json.encode(task))
    command = (
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        *("--nproc-per-node", str(n_processes), "-m", _WORKER, str(path)),
    )
    if subprocess.run(command, check=False).returncode:
        # Each tells its own failures; who says nothing was killed.
        sys.exit(WORKER_DIED)


def _n_gpus() -> int:
    import torch

    return int(torch.cuda.device_count())
