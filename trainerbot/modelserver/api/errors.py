"""Failures in OpenAI's shape and wording, whatever went wrong."""

import logging

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from trainerbot.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    ProviderRefused,
    ProviderUnavailable,
    StorageFull,
    TrainerBotError,
)
from trainerbot.modelserver.database import UnknownAfter
from trainerbot.modelserver.filestore import QuotaExceeded
from trainerbot.modelserver.runtimes.base import (
    ContextTooLong,
    EmbeddingsAbsent,
    Overloaded,
    RuntimeAbsent,
    Unsupported,
)
from trainerbot.modelserver.trainers.methods import TrainingNotInstalled
from trainerbot.speech import NothingHeard, SpeechAbsent, UnreadableAudio

log = logging.getLogger(__name__)

_INVALID = "invalid_request_error"
_SERVER = "server_error"


class ApiError(TrainerBotError):
    """A failure that knows its HTTP status and OpenAI's fields for it."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = _INVALID,
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.type = type
        self.param = param
        self.code = code
        # Those that the answer has beside the usual ones.
        self.headers: dict[str, str] = {}

    @property
    def body(self) -> dict[str, object]:
        """The JSON that the client reads."""
        return {
            "error": {
                "message": str(self),
                "type": self.type,
                "param": self.param,
                "code": self.code,
            }
        }


def model_not_found(model: str) -> ApiError:
    """Return the error for a model id that nothing here answers to."""
    return ApiError(
        f"The model `{model}` does not exist or you do not have access to it.",
        status=404,
        code="model_not_found",
    )


def as_api_error(error: TrainerBotError) -> ApiError:
    """Return `error` with the status and code that OpenAI gives such a failure."""
    message = str(error)
    match error:
        case ApiError():
            return error
        case ContextTooLong():
            return ApiError(message, param="messages", code="context_length_exceeded")
        case Unsupported():
            return ApiError(message, param=error.param, code=error.code)
        case EmbeddingsAbsent():
            return ApiError(message, status=501, type=_SERVER, code="no_embeddings")
        case Overloaded():
            return ApiError(message, status=503, type=_SERVER, code="overloaded")
        case TrainingNotInstalled():
            return ApiError(message, status=501, type=_SERVER, code="training_not_installed")
        case RuntimeAbsent():
            return ApiError(message, status=501, type=_SERVER, code="no_language_model")
        case UnreadableAudio():
            return ApiError(message, param="file", code="unreadable_audio")
        case NothingHeard():
            return ApiError(message, status=422, param="file", code="nothing_heard")
        case SpeechAbsent():
            return ApiError(message, status=501, type=_SERVER, code="no_speech_provider")
        case ProviderRefused():
            return ApiError(message, code=error.code)
        case ProviderUnavailable():
            return ApiError(message, status=503, type=_SERVER, code="model_unavailable")
        case QuotaExceeded():
            return ApiError(message, status=403, code="exceeded_quota")
        case StorageFull():
            return ApiError(message, status=507, type=_SERVER, code="insufficient_storage")
        case NotFound():
            return ApiError(message, status=404)
        case UnknownAfter():
            return ApiError(message, param="after", code="invalid_value")
        case InvalidInput() | Conflict():
            return ApiError(message)
    return ApiError(message, status=500, type=_SERVER)


def answer_error(error: ApiError) -> JSONResponse:
    """Return the HTTP response for `error`."""
    headers = dict(error.headers)
    if error.status in (501, 507):
        headers["x-should-retry"] = "false"  # the SDK's own header: no retry will help
    return JSONResponse(error.body, status_code=error.status, headers=headers)


def on_trainerbot_error(request: Request, error: Exception) -> Response:
    """Answer our own errors."""
    assert isinstance(error, TrainerBotError)
    return answer_error(as_api_error(error))


def on_http_error(request: Request, error: Exception) -> Response:
    """Answer a wrong address or method."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        message = f"Invalid URL ({request.method} {request.url.path})"
        return answer_error(ApiError(message, status=404))
    if error.status_code == 405:
        message = (
            f"Not allowed to {request.method} on {request.url.path} "
            "(HINT: Perhaps you meant to use a different HTTP method?)"
        )
        answer = answer_error(ApiError(message, status=405, code="method_not_supported"))
        answer.headers.update(error.headers or {})
        return answer
    return answer_error(ApiError(error.detail, status=error.status_code))


def on_disconnect(request: Request, error: Exception) -> Response:
    """Answer nobody: the client went away in the middle of its own request."""
    return Response(status_code=400)


def on_crash(request: Request, error: Exception) -> Response:
    """Answer a failure that is ours. Its stack is in the log, not in the answer."""
    message = "The server had an error while processing your request. Sorry about that!"
    answer = answer_error(ApiError(message, status=500, type=_SERVER))
    if request_id := request.scope.get("request_id"):
        answer.headers["x-request-id"] = request_id
    return answer


HANDLERS = {
    TrainerBotError: on_trainerbot_error,
    HTTPException: on_http_error,
    ClientDisconnect: on_disconnect,
    Exception: on_crash,
}
