"""How a job of method knn ends: the models themselves are asked, the index becomes a model."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from trainerbot.modelserver.catalog import Catalog
from trainerbot.modelserver.evaluation import Compared, compare
from trainerbot.modelserver.examples import TUNED, read_examples
from trainerbot.modelserver.records import StoredJob
from trainerbot.modelserver.runtimes.knn import KnnModel
from trainerbot.modelserver.store import Store

_MAX_COUNTED_BYTES = 4 * 1024 * 1024


async def evaluate_index(
    store: Store, catalog: Catalog, job: StoredJob, chosen: dict[str, Any], work: Path
) -> None:
    """Let the real models answer held-out questions, and add that to the last metrics."""
    questions = await asyncio.to_thread(read_examples, str(work / "questions.jsonl"))
    if not questions:
        return
    tuned = await asyncio.to_thread(
        lambda: KnnModel(
            read_examples(str(work / "held_in.jsonl")),
            n_neighbors=chosen["n_neighbors"],
        )
    )
    compared: list[Compared] = []
    comparison = compare(
        tuned,
        await catalog.runtime_of(job.model),
        questions,
        max_tokens=chosen["max_eval_tokens"],
        seed=job.seed % 2**31,
    )
    async with contextlib.aclosing(comparison):
        async for result in comparison:
            compared.append(result)
            await asyncio.to_thread(
                store.record,
                job.id,
                f"eval:{len(compared)}",
                f"Evaluated held-out question {len(compared)}/{len(questions)}: "
                f"tuned loss={result.tuned_loss:.2f}, base loss={result.base_loss:.2f}",
            )
    n = len(compared)
    full = {
        "full_valid_loss": round(sum(c.tuned_loss for c in compared) / n, 4),
        "base_valid_loss": round(sum(c.base_loss for c in compared) / n, 4),
        "full_valid_mean_token_accuracy": round(sum(c.tuned_accuracy for c in compared) / n, 4),
        "base_valid_mean_token_accuracy": round(sum(c.base_accuracy for c in compared) / n, 4),
        "n_eval_questions": n,
    }
    last = (await asyncio.to_thread(store.metrics, job.id))[-1]
    await asyncio.to_thread(
        store.record,
        job.id,
        "evaluation",
        f"Full validation on {n} held-out questions, answered by the models themselves: "
        f"tuned loss={full['full_valid_loss']:.2f}, base loss={full['base_valid_loss']:.2f}",
        metrics={**last, **full},
    )


async def count_tokens(catalog: Catalog, job: StoredJob, work: Path) -> int | None:
    """Return how many tokens the examples have; None when counting them would take long."""
    path = work / TUNED
    if (await asyncio.to_thread(path.stat)).st_size > _MAX_COUNTED_BYTES:
        return None
    examples = await asyncio.to_thread(read_examples, str(path))
    runtime = await catalog.runtime_of(job.model)
    return await runtime.count_tokens(
        "\n".join(f"{example.question}\n{example.answer}" for example in examples)
    )
