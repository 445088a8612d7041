"""Rows for tests. Traits name the situation: `FineTuneJobFactory(running=True)`."""

from tests.factories.datasets import (
    SHOPS,
    DatasetFactory,
    DatasetVersionFactory,
    ExampleFactory,
    FineTuneJobFactory,
    LabelledVersionFactory,
    ProvenanceFactory,
)
from tests.factories.people import (
    DiscordChannelFactory,
    DiscordGuildFactory,
    DiscordRoleFactory,
    DiscordUserFactory,
    UserFactory,
)
from tests.factories.places import (
    GuildSettingsFactory,
    IncidentFactory,
    ModelPriceFactory,
    PlaceSettingsFactory,
    UsageFactory,
)
from tests.factories.releases import AliasFactory, ReleaseFactory
from tests.factories.suites import SuiteFactory, SuiteRunFactory, everyday_run, suite_version
from tests.factories.talk import (
    AnswerFactory,
    ConversationFactory,
    CorrectionFactory,
    DiscordTalkFactory,
    QuestionFactory,
    UtteranceFactory,
    VoiceCallFactory,
)
from tests.factories.trainings import LessonFactory, TrainingFactory
from tests.factories.work import EvaluationFactory, PredictionFactory, TaskFactory

__all__ = [
    "SHOPS",
    "AliasFactory",
    "AnswerFactory",
    "ConversationFactory",
    "CorrectionFactory",
    "DatasetFactory",
    "DatasetVersionFactory",
    "DiscordChannelFactory",
    "DiscordGuildFactory",
    "DiscordRoleFactory",
    "DiscordTalkFactory",
    "DiscordUserFactory",
    "EvaluationFactory",
    "ExampleFactory",
    "FineTuneJobFactory",
    "GuildSettingsFactory",
    "IncidentFactory",
    "LabelledVersionFactory",
    "LessonFactory",
    "ModelPriceFactory",
    "PlaceSettingsFactory",
    "PredictionFactory",
    "ProvenanceFactory",
    "QuestionFactory",
    "ReleaseFactory",
    "SuiteFactory",
    "SuiteRunFactory",
    "TaskFactory",
    "TrainingFactory",
    "UsageFactory",
    "UserFactory",
    "UtteranceFactory",
    "VoiceCallFactory",
    "everyday_run",
    "suite_version",
]
