"""A job at an OpenAI-shaped endpoint: spec, submit, follow, cancel."""

from trainerbot.endpoints import Endpoint, ModelInfo
from trainerbot.finetune.contracts import FineTuneProvider, JobSpec, RemoteEvent, RemoteJob
from trainerbot.finetune.registry import open_finetune

__all__ = [
    "Endpoint",
    "FineTuneProvider",
    "JobSpec",
    "ModelInfo",
    "RemoteEvent",
    "RemoteJob",
    "open_finetune",
]
