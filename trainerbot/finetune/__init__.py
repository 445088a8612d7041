"""A job at an OpenAI-shaped endpoint: spec, submit, follow, cancel."""

from trainerbot.endpoints import Endpoint, ModelInfo
from trainerbot.finetune.contracts import (
    Download,
    FineTuneProvider,
    JobSpec,
    NotOffered,
    Preparing,
    RemoteCheckpoint,
    RemoteEvent,
    RemoteJob,
)
from trainerbot.finetune.registry import open_finetune

__all__ = [
    "Download",
    "Endpoint",
    "FineTuneProvider",
    "JobSpec",
    "ModelInfo",
    "NotOffered",
    "Preparing",
    "RemoteCheckpoint",
    "RemoteEvent",
    "RemoteJob",
    "open_finetune",
]
