"""What only some endpoints can do with a job: pause it, list its checkpoints, hand out files."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


def error_body(message: str, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    """Return an error as OpenAI words it."""
    return {"error": {"message": message, "type": "error", "param": param, "code": code}}


class JobAbilities:
    """The part of `FakeOpenAI` that a test may take away, by a name in `lacks`."""

    jobs: dict[str, dict[str, Any]]
    models: list[dict[str, Any]]
    _refuse: Callable[[Request], Response | None]
    _job: Callable[[Request], Response]
    _page: Callable[[Request, list[dict[str, Any]]], Response]

    def forget_abilities(self) -> None:
        """Be as if just started."""
        self.checkpoints: dict[str, list[dict[str, Any]]] = {}  # of a job, oldest first
        # By format: a file's name and bytes, or how far it is; a code to refuse with.
        self.exports: dict[str, tuple[str, bytes] | float | str] = {}
        self.lacks: set[str] = set()  # pause, checkpoints, export, delete: no such address

    def keep_checkpoint(self, job_id: str, step: int, **metrics: float) -> dict[str, Any]:
        """Let a job have a checkpoint after a step."""
        checkpoint = {
            "id": f"ftckpt-{job_id}-{step}",
            "object": "fine_tuning.job.checkpoint",
            "created_at": 1000 + step,
            "fine_tuned_model_checkpoint": f"ft:{job_id}:ckpt-step-{step}",
            "fine_tuning_job_id": job_id,
            "metrics": {"step": step, **metrics},
            "step_number": step,
        }
        self.checkpoints.setdefault(job_id, []).append(checkpoint)
        return checkpoint

    async def _move_job(self, request: Request) -> Response:
        """Pause or resume, as our model server does: a running job goes on to its next step."""
        if refusal := self._refuse(request) or self._absent(request, "pause"):
            return refusal
        job = self.jobs.get(request.path_params["id"])
        was, becomes = (
            ("running", "running")
            if request.url.path.endswith("pause")
            else (
                "paused",
                "queued",
            )
        )
        if job is not None and job["status"] not in (was, "queued"):
            return JSONResponse(error_body(f"Job has status '{job['status']}'."), 409)
        if job is not None and job["status"] == "queued":
            becomes = "paused"
        if job is not None:
            job["status"] = becomes
        return self._job(request)

    async def _list_checkpoints(self, request: Request) -> Response:
        if refusal := self._refuse(request) or self._absent(request, "checkpoints"):
            return refusal
        return self._page(request, self.checkpoints.get(request.path_params["id"], [])[::-1])

    async def _export(self, request: Request) -> Response:
        if refusal := self._refuse(request) or self._absent(request, "export"):
            return refusal
        made = self.exports.get(request.query_params["format"], "no_weights")
        if isinstance(made, str):
            return JSONResponse(error_body("This model has no weights of its own.", made), 409)
        if isinstance(made, float):
            return JSONResponse({"status": "running", "progress": made}, 202)
        name, content = made
        return Response(
            content,
            media_type="application/octet-stream",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def _delete_model(self, request: Request) -> Response:
        if refusal := self._refuse(request) or self._absent(request, "delete"):
            return refusal
        model_id = request.path_params["id"]
        kept = [model for model in self.models if model["id"] != model_id]
        if len(kept) == len(self.models):
            told = error_body(f"The model '{model_id}' does not exist", "model_not_found", "model")
            return JSONResponse(told, 404)
        self.models = kept
        return JSONResponse({"id": model_id, "object": "model", "deleted": True})

    def _absent(self, request: Request, name: str) -> Response | None:
        """What OpenAI says to an address that it does not have."""
        if name not in self.lacks:
            return None
        told = f"Invalid URL ({request.method} {request.url.path})"
        return JSONResponse(error_body(told), 404)
