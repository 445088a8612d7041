"""/v1/fine_tuning/alpha/graders: run a grader on one answer, or only see whether it could."""

import asyncio
import time
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trainerbot.errors import InvalidInput
from trainerbot.modelserver.api.errors import ApiError
from trainerbot.modelserver.api.requests import read_body
from trainerbot.modelserver.graders import grading

# Every kind of failure that OpenAI's answer has a place for.
_ERRORS = (
    "formula_parse_error", "sample_parse_error", "truncated_observation_error",
    "unresponsive_reward_error", "invalid_variable_error", "other_error",
    "python_grader_server_error", "python_grader_runtime_error", "model_grader_server_error",
    "model_grader_refusal_error", "model_grader_parse_error",
)  # fmt: skip
_DETAILS = (
    "python_grader_server_error_type",
    "python_grader_runtime_error_details",
    "model_grader_server_error_details",
)


class RunBody(msgspec.Struct):
    """POST /v1/fine_tuning/alpha/graders/run."""

    grader: dict[str, Any]
    model_sample: str
    item: Any = None


class ValidateBody(msgspec.Struct):
    """POST /v1/fine_tuning/alpha/graders/validate."""

    grader: dict[str, Any]


def routes() -> list[Route]:
    """Return the routes of the graders."""

    async def run(request: Request) -> Response:
        body = await read_body(request, RunBody)
        _check(body.grader)
        started = time.monotonic()
        graded = await asyncio.to_thread(_run, body)
        return JSONResponse(
            {
                "reward": graded.reward,
                "sub_rewards": graded.sub_rewards,
                "metadata": {
                    "name": body.grader["name"],
                    "type": body.grader["type"],
                    "errors": {
                        **{name: name == graded.problem for name in _ERRORS},
                        **dict.fromkeys(_DETAILS),
                    },
                    "execution_time": round(time.monotonic() - started, 6),
                    "scores": graded.sub_rewards,
                    "token_usage": None,
                    "sampled_model_name": None,
                },
                "model_grader_token_usage_per_model": {},
            }
        )

    async def validate(request: Request) -> Response:
        body = await read_body(request, ValidateBody)
        _check(body.grader)
        return JSONResponse({"grader": body.grader})

    graders = "/v1/fine_tuning/alpha/graders"
    return [
        Route(f"{graders}/run", run, methods=["POST"]),
        Route(f"{graders}/validate", validate, methods=["POST"]),
    ]


def _check(grader: dict[str, Any]) -> None:
    try:
        grading.check(grader)
    except grading.WrongGrader as error:
        raise ApiError(str(error), param=error.param, code="invalid_grader") from error
    except grading.GraderAbsent as error:
        raise ApiError(str(error), param="grader", code="unsupported_grader") from error
    except InvalidInput as error:
        raise ApiError(str(error), param="grader", code="invalid_grader") from error


def _run(body: RunBody) -> grading.Graded:
    return grading.run(body.grader, body.model_sample, body.item)
