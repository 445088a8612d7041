"""The rows that OpenAI's tests ask for, made through the store's own API and then renamed.

Every id below is one that stands in those tests.
"""

import json

from trainerbot.modelserver.store import Store

BASE = "gpt-4o-mini"
TRAINING_FILE = "file-abc123"
JOB = "ft-AF1WoRqd3aJAHsqc9NY7iL8F"
# Models: one to delete, and two with permissions. The last is an id of a job in other tests.
MODELS = ("ft:gpt-4o-mini:acemeco:suffix:abc123", "ft:gpt-4o-mini-2024-07-18:org:weather:B7R9VjQd", JOB)  # fmt: skip
PERMISSION = "cp_zc4Q7MP6XxulcVzj4MZdwsAB"
COMPLETION = "completion_id"
UPLOAD, PART = "upload_abc123", "string"
# What lists are asked to begin behind.
AFTER = "after"
PART_CONTENT = b"Example data"
_TABLES = (
    "events", "checkpoints", "permissions", "model_files", "models", "upload_parts", "uploads",
    "completions", "jobs", "files",
)  # fmt: skip


def seed(store: Store, test: str) -> None:
    """Empty the store, and fill it for the test of this name."""
    _empty(store)
    for file_id in (TRAINING_FILE, "file_id", AFTER):
        _add_file(store, file_id)
    _add_job(store, AFTER, paused=False)
    _add_job(store, JOB, paused="resume" in test)
    for model_id in MODELS:
        _add_model(store, model_id)
    store.add_permissions(MODELS[1], ["proj_abc"])
    _rename(store, "permissions", MODELS[1], PERMISSION, by="checkpoint")
    store.add_permissions(JOB, ["proj_abc"])
    _rename(store, "permissions", JOB, AFTER, by="checkpoint")
    _add_upload(store)
    for completion_id in (AFTER, COMPLETION):
        _add_completion(store, completion_id)


def _add_completion(store: Store, completion_id: str) -> None:
    message = {"role": "assistant", "content": "Ho", "refusal": None, "annotations": []}
    store.add_completion(
        {
            "id": completion_id,
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": "gpt-6-astra",
            "choices": [
                {"index": 0, "finish_reason": "stop", "logprobs": None, "message": message}
            ],
        },
        # The SDK's type for a stored message knows no other role.
        messages=[{**message, "id": AFTER, "name": None}],
        metadata={"foo": "string"},
    )


def _add_file(store: Store, file_id: str) -> None:
    row = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]}
    content = (json.dumps(row).encode() + b"\n") * 12
    made = store.add_file(store.blobs.write(content), filename="seed.jsonl", purpose="fine-tune")
    _rename(store, "files", made.id, file_id)


def _add_job(store: Store, job_id: str, *, paused: bool) -> None:
    made = store.add_job(
        model=BASE,
        method="supervised",
        hyperparameters={"n_epochs": 3, "batch_size": 4, "learning_rate_multiplier": 1.0},
        seed=42,
        training_file=TRAINING_FILE,
        validation_file=None,
        suffix=None,
        metadata={"foo": "string"},
    )
    store.advance_job(made.id, "queued", was="validating_files", message="Files validated")
    store.advance_job(made.id, "running", was="queued", message="Fine-tuning job started")
    step = {"step": 1, "total_steps": 9, "train_loss": 0.5}
    store.record(made.id, "step:1", "Step 1/9: training loss=0.50", metrics=step)
    checkpoint = store.add_checkpoint(
        made.id,
        step=1,
        model_id=f"{job_id}:ckpt-step-1",
        files={"tuned.jsonl": b"{}"},
        metrics=step,
    )
    assert checkpoint is not None
    if paused:
        store.pause_job(made.id)
        store.settle_pauses()
    newest = store.events(made.id, limit=1).rows[0].id
    with store._writing():
        store._db.execute("PRAGMA defer_foreign_keys=ON")
        for table in ("events", "checkpoints"):
            store._db.execute(f"UPDATE {table} SET job_id = ? WHERE job_id = ?", (job_id, made.id))
        store._db.execute("UPDATE jobs SET id = ? WHERE id = ?", (job_id, made.id))
    if job_id == JOB:
        _rename(store, "events", newest, AFTER)
        _rename(store, "checkpoints", checkpoint.id, AFTER)


def _add_model(store: Store, model_id: str) -> None:
    draft = store.blobs.write(b"{}")
    with store._writing():
        store._add_model(
            model_id=model_id,
            base_model=BASE,
            method="supervised",
            job_id=JOB,
            files={"tuned.jsonl": draft},
        )


def _add_upload(store: Store) -> None:
    made = store.add_upload(
        filename="seed.txt",
        purpose="assistants",
        mime_type="text/plain",
        n_bytes=len(PART_CONTENT),
        file_expires_after_s=None,
    )
    part = store.add_part(made.id, store.blobs.write(PART_CONTENT))
    with store._writing():
        store._db.execute("PRAGMA defer_foreign_keys=ON")
        store._db.execute("UPDATE uploads SET id = ? WHERE id = ?", (UPLOAD, made.id))
        store._db.execute("UPDATE upload_parts SET upload_id = ?, id = ?", (UPLOAD, PART))
    assert part.upload_id == made.id


def _empty(store: Store) -> None:
    with store._writing():
        for table in _TABLES:
            store._db.execute(f"DELETE FROM {table}")
    store.blobs.sweep(set())


def _rename(store: Store, table: str, old: str, new: str, *, by: str = "id") -> None:
    with store._writing():
        store._db.execute(f"UPDATE {table} SET id = ? WHERE {by} = ?", (new, old))
