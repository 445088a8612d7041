"""Fine-tuning providers by name; the one asked for is imported when it is opened."""

from importlib import import_module
from typing import Final, cast

from trainerbot.endpoints import Endpoint
from trainerbot.errors import InvalidInput
from trainerbot.finetune.contracts import FineTuneProvider

FINETUNE: Final = {
    "openai_compatible": "trainerbot.finetune.providers.openai_compatible.OpenAICompatibleJobs",
}


def open_finetune(endpoint: Endpoint, provider: str = "openai_compatible") -> FineTuneProvider:
    """Return a way to train at `endpoint`. Connects to nothing yet.

    The first call imports the provider's client (about a second). Close what
    is returned. Raises InvalidInput for a provider that does not exist.
    """
    if provider not in FINETUNE:
        raise InvalidInput(
            f"There is no fine-tuning provider {provider}. Use {', '.join(FINETUNE)}."
        )
    module, _, name = FINETUNE[provider].rpartition(".")
    return cast("FineTuneProvider", getattr(import_module(module), name)(endpoint))
