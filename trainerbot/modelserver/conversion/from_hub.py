"""A model of the hub, downloaded into the hub's own cache. Only where --allow-download was given."""

from pathlib import Path

from trainerbot.errors import InvalidInput

# No program, and nothing pickled.
_WANTED = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")


def download(name: str) -> Path:
    """Return the folder of the hub's model `name`. Raises InvalidInput when it cannot be had."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(_WANTED)))
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"The model {name} cannot be downloaded from the hub: it is not there, is private, "
            "or the hub cannot be reached."
        ) from error
