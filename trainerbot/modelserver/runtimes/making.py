"""Which runtime answers for which base model."""

from collections.abc import Mapping
from pathlib import Path

from trainerbot.modelserver.bases import Bases
from trainerbot.modelserver.runtimes.base import ChatRuntime
from trainerbot.modelserver.runtimes.llamacpp import LlamaCpp, spare_threads
from trainerbot.modelserver.runtimes.memory import Memory
from trainerbot.modelserver.runtimes.transformers_runtime import Transformers
from trainerbot.modelserver.runtimes.vllm import Vllm
from trainerbot.modelserver.runtimes.weights import weights_of


def make_runtimes(
    bases: Bases,
    memory: Memory,
    *,
    data: Path,
    environ: Mapping[str, str],
    n_parallel: int,
    n_threads: int | None,
) -> dict[str, ChatRuntime]:
    """Return one runtime for each base model: nothing is loaded yet.

    llama.cpp answers for GGUF files; for others a vLLM server where VLLM_BASE_URL
    names one in `environ` (with VLLM_API_KEY, if it wants one), else transformers.
    """
    runtimes: dict[str, ChatRuntime] = {}
    for base in bases:
        if base.kind == "gguf":
            runtimes[base.id] = LlamaCpp(
                weights_of(base),
                memory,
                context_tokens=base.context_tokens,
                n_parallel=n_parallel,
                n_threads=n_threads,
            )
        elif url := environ.get("VLLM_BASE_URL"):
            runtimes[base.id] = Vllm(
                base,
                base_url=url,
                api_key=environ.get("VLLM_API_KEY"),
                adapters=data / "adapters",
            )
        else:
            runtimes[base.id] = Transformers(
                base,
                memory,
                cache=data / "converted",
                n_threads=n_threads or spare_threads(),
            )
    return runtimes
