"""Works off the fine-tuning jobs: checks files, trains in a process of its own, evaluates."""

from trainerbot.modelserver.jobs.runner import JobRunner

__all__ = ["JobRunner"]
