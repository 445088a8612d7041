"""How a job fails."""

from trainerbot.errors import TrainerBotError


class JobFailed(TrainerBotError):
    """The job ends as failed, with OpenAI's `code` and the parameter at fault."""

    def __init__(self, message: str, *, code: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param
