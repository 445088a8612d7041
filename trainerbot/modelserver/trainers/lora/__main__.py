"""One of several training processes, started by torchrun with the path of its Task."""

import sys
from pathlib import Path

import msgspec

from trainerbot.modelserver.trainers.line import end_with_server
from trainerbot.modelserver.trainers.lora.work import work
from trainerbot.modelserver.trainers.task import Task

if __name__ == "__main__":
    end_with_server()
    work(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Task))
