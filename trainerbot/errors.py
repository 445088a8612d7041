"""Errors that a person may see: one base class, one sentence each."""


class TrainerBotError(Exception):
    """A failure with a sentence fit for the chat window or a flash message.

    `str(error)` is for people; the cause, with its stack, goes to the log.
    `retryable` says whether the same call may succeed later; background
    tasks retry only those.
    """

    retryable = False


class InvalidInput(TrainerBotError):
    """What was given cannot be used; the sentence says why and what to do."""


class NotFound(TrainerBotError):
    """There is no such thing, or the asker may not know of it."""


class NotAllowed(TrainerBotError):
    """The asker's role does not reach this far."""


class Conflict(TrainerBotError):
    """Somebody else changed or holds it; look again before trying again."""


class DatasetFrozen(TrainerBotError):
    """A version of a dataset never changes once it is made."""


class ProviderUnavailable(TrainerBotError):
    """The model endpoint did not answer. Trying again may help."""

    retryable = True


class ProviderRefused(TrainerBotError):
    """The model endpoint answered, and said no: bad key, unknown model, bad request.

    `code` is the endpoint's own error code, where it gave one, and `status`
    the HTTP status that came with it.
    """

    def __init__(self, message: str, *, code: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class StorageFull(TrainerBotError):
    """The disk took no more. Nothing was half stored."""
