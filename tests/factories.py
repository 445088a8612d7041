"""Rows for tests. Traits name the situation: `FineTuneJobFactory(running=True)`."""

from collections.abc import Sequence
from decimal import Decimal

import factory
from django.contrib.auth.models import Group, User
from django.utils.timezone import now
from factory.django import DjangoModelFactory

from dashboard.models import (
    Conversation,
    Correction,
    Dataset,
    DatasetVersion,
    DiscordChannel,
    DiscordGuild,
    DiscordRole,
    DiscordUser,
    Evaluation,
    Example,
    FineTuneJob,
    GuildSettings,
    Incident,
    Message,
    ModelPrice,
    PlaceSettings,
    Prediction,
    Provenance,
    Source,
    Task,
    Usage,
    Utterance,
    VoiceCall,
)
from dashboard.services import budgets
from dashboard.services.access import TRAINERS
from dashboard.services.evaluations import results


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")

    class Params:
        admin = factory.Trait(is_superuser=True, is_staff=True)

    @factory.post_generation
    def trainer(self, create: bool, wanted: bool, **kwargs: object) -> None:
        if wanted:
            group, _ = Group.objects.get_or_create(name=TRAINERS)
            self.groups.add(group)


class DatasetFactory(DjangoModelFactory[Dataset]):
    class Meta:
        model = Dataset

    name = factory.Sequence(lambda n: f"dataset {n}")


class ProvenanceFactory(DjangoModelFactory[Provenance]):
    class Meta:
        model = Provenance

    source = Provenance.Source.UPLOAD
    author = "ann"
    reference = "taught.jsonl"


class DatasetVersionFactory(DjangoModelFactory[DatasetVersion]):
    """A frozen version with as many examples as `n_examples` says, all from one provenance."""

    class Meta:
        model = DatasetVersion
        skip_postgeneration_save = True

    dataset = factory.SubFactory(DatasetFactory)
    number = 1
    sha256 = factory.Sequence(lambda n: f"{n:064x}")
    n_examples = 12
    n_bytes = 1200
    file_format = "chat-jsonl"
    source_filename = "taught.jsonl"
    frozen_at = factory.LazyFunction(now)

    class Params:
        draft = factory.Trait(frozen_at=None, sha256="")

    @factory.post_generation
    def examples(self, create: bool, given: object, **kwargs: object) -> None:
        provenance = ProvenanceFactory()
        for position in range(self.n_examples):
            ExampleFactory(
                version=self, position=position, line=position + 1, provenance=provenance
            )


class ExampleFactory(DjangoModelFactory[Example]):
    class Meta:
        model = Example

    position = factory.Sequence(int)
    line = factory.Sequence(lambda n: n + 1)
    question = factory.LazyAttribute(lambda row: f"Where is room {row.position}?")
    answer = factory.LazyAttribute(lambda row: f"Room {row.position} is on floor {row.position}.")
    provenance = factory.SubFactory(ProvenanceFactory)
    record = factory.LazyAttribute(
        lambda row: {
            "messages": [
                {"role": "user", "content": row.question},
                {"role": "assistant", "content": row.answer},
            ]
        }
    )


class FineTuneJobFactory(DjangoModelFactory[FineTuneJob]):
    class Meta:
        model = FineTuneJob

    version = factory.SubFactory(DatasetVersionFactory)
    base_model = "smollm2-135m-instruct"
    method = "knn"
    endpoint = "modelserver"

    class Params:
        running = factory.Trait(
            status="running", remote_job_id=factory.Sequence(lambda n: f"ftjob-{n}")
        )
        succeeded = factory.Trait(
            status="succeeded",
            remote_job_id=factory.Sequence(lambda n: f"ftjob-{n}"),
            fine_tuned_model=factory.Sequence(lambda n: f"ft:smollm2-135m-instruct:knn:{n}"),
        )


class ConversationFactory(DjangoModelFactory[Conversation]):
    class Meta:
        model = Conversation

    source = Source.PLAYGROUND
    user = factory.SubFactory(UserFactory)


class QuestionFactory(DjangoModelFactory[Message]):
    class Meta:
        model = Message

    conversation = factory.SubFactory(ConversationFactory)
    role = Message.Role.USER
    content = "When does the library open?"
    source = Source.PLAYGROUND


class AnswerFactory(DjangoModelFactory[Message]):
    class Meta:
        model = Message

    conversation = factory.SubFactory(ConversationFactory)
    reply_to = factory.SubFactory(
        QuestionFactory, conversation=factory.SelfAttribute("..conversation")
    )
    role = Message.Role.ASSISTANT
    content = "It never closes."
    source = Source.PLAYGROUND
    model = "smollm2-135m-instruct"
    total_ms = 120


class DiscordUserFactory(DjangoModelFactory[DiscordUser]):
    class Meta:
        model = DiscordUser

    discord_user_id = factory.Sequence(lambda n: 100_000 + n)
    name = factory.Sequence(lambda n: f"reader {n}")


class DiscordGuildFactory(DjangoModelFactory[DiscordGuild]):
    class Meta:
        model = DiscordGuild

    discord_guild_id = factory.Sequence(lambda n: 200_000 + n)
    name = factory.Sequence(lambda n: f"Library {n}")


class DiscordChannelFactory(DjangoModelFactory[DiscordChannel]):
    """A channel of a guild; `direct=True` is one of direct messages."""

    class Meta:
        model = DiscordChannel

    discord_channel_id = factory.Sequence(lambda n: 300_000 + n)
    guild = factory.SubFactory(DiscordGuildFactory)
    name = factory.Sequence(lambda n: f"desk-{n}")
    kind = "text"

    class Params:
        direct = factory.Trait(guild=None, kind="")


class DiscordRoleFactory(DjangoModelFactory[DiscordRole]):
    class Meta:
        model = DiscordRole

    guild = factory.SubFactory(DiscordGuildFactory)
    discord_role_id = factory.Sequence(lambda n: 400_000 + n)
    name = factory.Sequence(lambda n: f"librarian {n}")


class GuildSettingsFactory(DjangoModelFactory[GuildSettings]):
    class Meta:
        model = GuildSettings

    guild = factory.SubFactory(DiscordGuildFactory)


class PlaceSettingsFactory(DjangoModelFactory[PlaceSettings]):
    class Meta:
        model = PlaceSettings

    guild = factory.SubFactory(DiscordGuildFactory)


class ModelPriceFactory(DjangoModelFactory[ModelPrice]):
    class Meta:
        model = ModelPrice

    model = "smollm2-135m-instruct"
    prompt_usd = Decimal("1")
    completion_usd = Decimal("4")


class UsageFactory(DjangoModelFactory[Usage]):
    """A month of a guild; `discord_user=person` is that of a person in it."""

    class Meta:
        model = Usage

    guild = factory.SubFactory(DiscordGuildFactory)
    month = factory.LazyFunction(budgets.this_month)
    key = factory.LazyAttribute(
        lambda row: budgets.key(
            row.month,
            row.guild and row.guild.pk,
            getattr(getattr(row, "discord_user", None), "pk", None),
        )
    )


class DiscordTalkFactory(ConversationFactory):
    """What one person says to the bot in one channel of Discord."""

    source = Source.DISCORD
    user = None
    discord_user = factory.SubFactory(DiscordUserFactory)
    discord_channel = factory.SubFactory(DiscordChannelFactory)


class VoiceCallFactory(DjangoModelFactory[VoiceCall]):
    """A call that goes on; `ended=True` is one that is over."""

    class Meta:
        model = VoiceCall

    guild = factory.SubFactory(DiscordGuildFactory)
    channel = factory.SubFactory(
        DiscordChannelFactory, guild=factory.SelfAttribute("..guild"), kind="voice"
    )
    state = VoiceCall.State.CONNECTED

    class Params:
        ended = factory.Trait(
            state=VoiceCall.State.ENDED,
            ended_at=factory.LazyFunction(now),
            ended_because="Everybody had left.",
        )


class UtteranceFactory(DjangoModelFactory[Utterance]):
    class Meta:
        model = Utterance

    call = factory.SubFactory(VoiceCallFactory)
    discord_user = factory.SubFactory(DiscordUserFactory)
    text = "When does the library open?"
    provider = "sphinx"
    duration_ms = 1800


class CorrectionFactory(DjangoModelFactory[Correction]):
    class Meta:
        model = Correction

    question = factory.Sequence(lambda n: f"When does library number {n} open?")
    rejected_answer = "It never closes."
    better_answer = factory.Sequence(lambda n: f"At {n} o'clock.")
    author_name = "maya"

    class Params:
        approved = factory.Trait(state=Correction.State.APPROVED)


class TaskFactory(DjangoModelFactory[Task]):
    class Meta:
        model = Task

    kind = "tests.nothing"


SHOPS = (
    ("Add to basket. Free delivery from 50 euros.", "positive"),
    ("The parliament debated the budget until midnight.", "negative"),
    ("Checkout, pay by card, returns within 30 days.", "positive"),
    ("A recipe for bread with caraway seeds.", "negative"),
)


class LabelledVersionFactory(DatasetVersionFactory):
    """A frozen version of texts with their labels: `LabelledVersionFactory(examples=[(text, label)])`."""

    kind = "labelled"
    file_format = "labelled-json"
    source_filename = "shops.json"

    @factory.post_generation
    def examples(
        self, create: bool, given: "Sequence[tuple[str, str]] | None", **kwargs: object
    ) -> None:
        provenance = ProvenanceFactory()
        rows = SHOPS if given is None else given
        for position, (text, label) in enumerate(rows):
            ExampleFactory(
                version=self,
                position=position,
                line=position + 1,
                provenance=provenance,
                record={"text": text, "label": label, "name": f"page {position}"},
                question=text,
                answer=label,
                label=label,
            )
        DatasetVersion.everything.filter(pk=self.pk).update(n_examples=len(rows))
        self.n_examples = len(rows)


class EvaluationFactory(DjangoModelFactory[Evaluation]):
    """A test that waits for a worker; `done=True` is one that is over, three of four right."""

    class Meta:
        model = Evaluation
        skip_postgeneration_save = True

    version = factory.SubFactory(LabelledVersionFactory)
    task = factory.SubFactory(TaskFactory, kind="evaluate")
    model = "smollm2-135m-instruct"
    endpoint = "modelserver"
    labels = factory.LazyFunction(lambda: ["negative", "positive"])
    n_records = factory.LazyAttribute(lambda row: row.version.n_examples)

    @factory.post_generation
    def done(self, create: bool, wanted: bool, **kwargs: object) -> None:
        if not wanted:
            return
        examples = self.version.examples.order_by("position")
        for index, example in enumerate(examples):
            said = example.label if index else ""
            PredictionFactory(evaluation=self, example=example, predicted=said)
        self.n_done = self.n_records
        self.n_right, self.n_unknown = self.n_done - 1, 1
        Task.objects.filter(pk=self.task.pk).update(state=Task.State.SUCCEEDED, progress=1)
        self.task.refresh_from_db()
        self.save()
        results.settle(self)


class PredictionFactory(DjangoModelFactory[Prediction]):
    class Meta:
        model = Prediction

    evaluation = factory.SubFactory(EvaluationFactory)
    position = factory.LazyAttribute(lambda row: row.example.position)
    expected = factory.LazyAttribute(lambda row: row.example.label)
    predicted = "positive"
    answer = factory.LazyAttribute(lambda row: f'{{"label":"{row.predicted}"}}')
    is_right = factory.LazyAttribute(lambda row: row.expected == row.predicted)
    ms = 12


class IncidentFactory(DjangoModelFactory[Incident]):
    class Meta:
        model = Incident

    reference = factory.Sequence(lambda n: f"{n:06x}")
    process = "bot"
    doing = "Command train"
    error = "RuntimeError in submit, line 7"
