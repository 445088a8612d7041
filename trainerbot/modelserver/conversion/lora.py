"""What a LoRA adapter of PEFT adds to which weights."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainerbot.errors import InvalidInput

# What would need more than two matrices and a factor.
_UNKNOWN = (
    "use_dora", "modules_to_save", "lora_bias", "rank_pattern", "alpha_pattern", "target_parameters",
)  # fmt: skip
_NAME = re.compile(r"base_model\.model\.(.+)\.lora_([AB])(?:\.\w+)?\.weight")


@dataclass(frozen=True, slots=True)
class Lora:
    """One adapter. Its tensors stay on the disk until they are asked for.

    `names` are (module, "A" or "B") -> the tensor's name in the file.
    """

    weights: Path
    rank: int
    alpha: float
    is_rank_stabilised: bool
    fan_in_fan_out: bool
    names: dict[tuple[str, str], str]

    @property
    def scale(self) -> float:
        """The factor of B @ A."""
        return self.alpha / (self.rank**0.5 if self.is_rank_stabilised else self.rank)

    @property
    def modules(self) -> list[str]:
        """The modules that it changes, such as "model.layers.0.self_attn.q_proj"."""
        return sorted({module for module, _ in self.names})


def read_lora(folder: Path) -> Lora:
    """Return the adapter in `folder`. Raises InvalidInput for a kind that cannot be merged."""
    from safetensors import safe_open

    config = read_json(folder / "adapter_config.json")
    for name in _UNKNOWN:
        if config.get(name):
            raise InvalidInput(f"An adapter with {name} cannot be converted.")
    weights = folder / "adapter_model.safetensors"
    with safe_open(weights, "np") as source:
        keys = list(source.keys())
    names = {}
    for key in keys:
        found = _NAME.fullmatch(key)
        if found is None:
            raise InvalidInput(f"An adapter on {key[:100]} cannot be converted.")
        names[found[1], found[2]] = key
    return Lora(
        weights=weights,
        rank=int(config["r"]),
        alpha=float(config["lora_alpha"]),
        is_rank_stabilised=bool(config.get("use_rslora")),
        fan_in_fan_out=bool(config.get("fan_in_fan_out")),
        names=names,
    )


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in the file."""
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data
