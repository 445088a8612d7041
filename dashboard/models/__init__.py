from dashboard.models.audit import AuditEvent
from dashboard.models.choices import DatasetChoice
from dashboard.models.conversations import Conversation, Feedback, Message, Source
from dashboard.models.corrections import Correction
from dashboard.models.datasets import Dataset, DatasetVersion, Example, Provenance
from dashboard.models.edits import DatasetEdit, EditedExample
from dashboard.models.evaluations import Evaluation, Prediction
from dashboard.models.exports import DatasetExport
from dashboard.models.finetuning import FineTuneEvent, FineTuneJob, LegacyJob
from dashboard.models.gateway import IdentifySlot, SyncedCommands
from dashboard.models.imports import DatasetImport
from dashboard.models.incidents import Incident
from dashboard.models.links import DiscordLink, LinkCode, LinkTry
from dashboard.models.outbox import OutboxEvent
from dashboard.models.people import (
    Access,
    DiscordChannel,
    DiscordGuild,
    DiscordUser,
    FailedSignIn,
)
from dashboard.models.places import DiscordRole, GuildSettings, PlaceSettings
from dashboard.models.processes import ProcessState
from dashboard.models.releases import Alias, Promotion, Release, ShadowAnswer
from dashboard.models.requests import DiscordRequest, OpenInteraction
from dashboard.models.retirements import Retirement
from dashboard.models.reviews import CorrectionComment, CorrectionStep, CorrectionVote
from dashboard.models.settings import AssistantSettings, MeaningSettings
from dashboard.models.suites import (
    Judge,
    Suite,
    SuiteAnswer,
    SuiteCase,
    SuiteRun,
    SuiteVersion,
)
from dashboard.models.tasks import Task
from dashboard.models.trainings import Lesson, Training, TrainingCard
from dashboard.models.usage import ModelPrice, SpeechPrice, Usage
from dashboard.models.verdicts import Verdict, VerdictRun
from dashboard.models.voice import Utterance, VoiceCall, VoiceSettings
from dashboard.models.votes import SuitePoll, SuiteVote

__all__ = [
    "Access",
    "Alias",
    "AssistantSettings",
    "AuditEvent",
    "Conversation",
    "Correction",
    "CorrectionComment",
    "CorrectionStep",
    "CorrectionVote",
    "Dataset",
    "DatasetChoice",
    "DatasetEdit",
    "DatasetExport",
    "DatasetImport",
    "DatasetVersion",
    "DiscordChannel",
    "DiscordGuild",
    "DiscordLink",
    "DiscordRequest",
    "DiscordRole",
    "DiscordUser",
    "EditedExample",
    "Evaluation",
    "Example",
    "FailedSignIn",
    "Feedback",
    "FineTuneEvent",
    "FineTuneJob",
    "GuildSettings",
    "IdentifySlot",
    "Incident",
    "Judge",
    "LegacyJob",
    "Lesson",
    "LinkCode",
    "LinkTry",
    "MeaningSettings",
    "Message",
    "ModelPrice",
    "OpenInteraction",
    "OutboxEvent",
    "PlaceSettings",
    "Prediction",
    "ProcessState",
    "Promotion",
    "Provenance",
    "Release",
    "Retirement",
    "ShadowAnswer",
    "Source",
    "SpeechPrice",
    "Suite",
    "SuiteAnswer",
    "SuiteCase",
    "SuitePoll",
    "SuiteRun",
    "SuiteVersion",
    "SuiteVote",
    "SyncedCommands",
    "Task",
    "Training",
    "TrainingCard",
    "Usage",
    "Utterance",
    "Verdict",
    "VerdictRun",
    "VoiceCall",
    "VoiceSettings",
]
