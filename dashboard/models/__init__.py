from dashboard.models.audit import AuditEvent
from dashboard.models.conversations import Conversation, Feedback, Message, Source
from dashboard.models.corrections import Correction
from dashboard.models.datasets import Dataset, DatasetVersion, Example
from dashboard.models.finetuning import FineTuneEvent, FineTuneJob
from dashboard.models.outbox import OutboxEvent
from dashboard.models.people import DiscordChannel, DiscordGuild, DiscordUser, FailedSignIn
from dashboard.models.processes import ProcessState
from dashboard.models.settings import AssistantSettings
from dashboard.models.tasks import Task

__all__ = [
    "AssistantSettings",
    "AuditEvent",
    "Conversation",
    "Correction",
    "Dataset",
    "DatasetVersion",
    "DiscordChannel",
    "DiscordGuild",
    "DiscordUser",
    "Example",
    "FailedSignIn",
    "Feedback",
    "FineTuneEvent",
    "FineTuneJob",
    "Message",
    "OutboxEvent",
    "ProcessState",
    "Source",
    "Task",
]
