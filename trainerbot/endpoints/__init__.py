"""Where models live: shared by `llm` (chat) and `finetune` (jobs), which both speak to one."""

from trainerbot.endpoints.endpoint import Endpoint, ModelInfo

__all__ = ["Endpoint", "ModelInfo"]
