"""A system in the middle of its work, for pages to show."""

import random
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.contrib.auth.models import User
from django.utils.timezone import now

from dashboard.models import (
    DiscordChannel,
    DiscordGuild,
    FineTuneEvent,
    FineTuneJob,
    Message,
    Task,
    VoiceCall,
)
from dashboard.services import calls, jobs, processes
from dashboard.services.speech import costs
from tests.factories import (
    AnswerFactory,
    ConversationFactory,
    CorrectionFactory,
    DatasetVersionFactory,
    DiscordChannelFactory,
    DiscordGuildFactory,
    DiscordRoleFactory,
    DiscordUserFactory,
    EvaluationFactory,
    FineTuneJobFactory,
    GuildSettingsFactory,
    ModelPriceFactory,
    PlaceSettingsFactory,
    QuestionFactory,
    TaskFactory,
    UsageFactory,
    UserFactory,
    UtteranceFactory,
    VoiceCallFactory,
)

QUESTIONS = (
    "How do I rotate my API key?",
    "When does the library open on a public holiday, and is the café open as well?",
    "Refund policy for annual plans?",
    "https://example.org/a-very-long-address-without-any-space-in-it/" + "x" * 120,
)
ROLES = (
    ("@everyone", "", ""),
    ("readers", "", "allow"),
    ("librarians", "trainer", "allow"),
    ("directors of the library and of all its branches", "admin", ""),
)
CHANNELS = (
    ("rules", "", "deny"),
    ("help-desk", "Ground floor", ""),
    ("review", "Staff only", ""),
    ("a-channel-with-a-name-as-long-as-discord-allows-" + "x" * 50, "Ground floor", ""),
)
WARNINGS = (
    (3, "The answer is empty."),
    (31, "The same question is on line 12, with another answer."),
)


@dataclass(frozen=True)
class Stage:
    admin: User
    ids: dict[str, int]


def furnish() -> Stage:
    """Talk of a day, two datasets, jobs in every state, all parts reporting."""
    admin = UserFactory(admin=True, username="maya")
    chance = random.Random(1)
    for number in range(24):
        talk = ConversationFactory(user=admin)
        question = QuestionFactory(conversation=talk, content=QUESTIONS[number % len(QUESTIONS)])
        answer = AnswerFactory(
            conversation=talk, reply_to=question, total_ms=chance.randint(200, 2500)
        )
        spoken = now() - timedelta(minutes=chance.triangular(0, 1400, 200))
        Message.objects.filter(pk__in=[question.pk, answer.pk]).update(created_at=spoken)
    version = DatasetVersionFactory(
        dataset__name="support answers",
        n_examples=25,
        n_warnings=len(WARNINGS),
        summary={"state": "done"},
        problems=[
            {"line": line, "code": "c", "message": text, "severity": "warning", "column": None}
            for line, text in WARNINGS
        ],
    )
    DatasetVersionFactory(dataset__name="tone, second try")
    running = run_a_job(version=version)
    FineTuneJobFactory(version=version, status="validating_files")
    FineTuneJobFactory(version=version, status="failed", error="The endpoint said no.")
    FineTuneJobFactory(version=version, status="cancelled")
    succeeded = FineTuneJobFactory(version=version, succeeded=True)
    test = EvaluationFactory(done=True)
    waiting = EvaluationFactory(version=test.version, error="The endpoint is away. Start it.")
    CorrectionFactory()
    CorrectionFactory(approved=True)
    for pid, name in enumerate(("web", "worker", "modelserver"), start=4211):
        processes.report(name, state="running", pid=pid)
    processes.report("bot", state="disabled", message="No DISCORD_TOKEN is set.")
    ModelPriceFactory(
        model="gpt-4.1-mini", prompt_usd=Decimal("0.4"), completion_usd=Decimal("1.6")
    )
    costs.save_price(
        provider="google", heard_usd=Decimal("0.016"), spoken_usd=Decimal(0), actor=admin
    )
    guild, channel = furnish_a_server()
    call = run_a_call()
    return Stage(
        admin,
        {
            "guild": guild.pk,
            "call": call.pk,
            "channel": channel.pk,
            "dataset": version.dataset_id,
            "running": running.pk,
            "succeeded": succeeded.pk,
            "test": test.pk,
            "waiting_test": waiting.pk,
            "labelled": test.version_id,
        },
    )


def furnish_a_server() -> tuple[DiscordGuild, DiscordChannel]:
    """A server with roles and channels, most of its budget used; and one that was left."""
    DiscordGuildFactory(name="The old reading room", left_at=now())
    guild = DiscordGuildFactory(name="City library")
    for position, (name, grants, access) in enumerate(ROLES):
        DiscordRoleFactory(guild=guild, name=name, position=position, grants=grants, access=access)
    channels = [
        DiscordChannelFactory(
            guild=guild, name=name, category=category, position=position, access=access
        )
        for position, (name, category, access) in enumerate(CHANNELS)
    ]
    DiscordRoleFactory(guild=guild, name="interns", access="deny", gone_at=now())
    PlaceSettingsFactory(guild=guild, system_prompt="You are the librarian.", language="de")
    PlaceSettingsFactory(guild=guild, channel=channels[1], model="gpt-4.1-mini", temperature=0.2)
    GuildSettingsFactory(
        guild=guild,
        review_channel=channels[2],
        user_cooldown_s=5.0,
        user_tokens=50_000,
        guild_tokens=2_000_000,
        guild_cost_usd=Decimal("20"),
        saving_model="smollm2-135m-instruct",
    )
    UsageFactory(guild=guild, n_answers=1204, n_tokens=1_743_000, cost_usd=Decimal("12.4417"))
    for name, n_tokens in (("Ada", 50_200), ("Grace, with a very long display name", 41_000)):
        UsageFactory(
            guild=guild,
            discord_user=DiscordUserFactory(name=name),
            n_answers=n_tokens // 900,
            n_tokens=n_tokens,
        )
    return guild, channels[1]


def run_a_call() -> VoiceCall:
    """A call in which one person is heard, and another is answered."""
    call = VoiceCallFactory()
    ada, grace = DiscordUserFactory(name="Ada Lovelace"), DiscordUserFactory(name="Grace Hopper")
    UtteranceFactory(call=call, discord_user=grace)
    who = [str(ada.discord_user_id), str(grace.discord_user_id)]
    calls.report(call.pk, figures={"speaking": who[:1], "people": who})
    words = "And could you also tell me whether the library opens on the Sunday after Christmas,"
    calls.show_words(call.pk, {ada.discord_user_id: words})
    return call


def run_a_job(**fields: object) -> FineTuneJob:
    """A job that has trained 60 of 100 steps."""
    chance = random.Random(2)
    job = FineTuneJobFactory(running=True, suffix="support-bot", method="supervised", **fields)
    for step in range(10, 61, 2):
        losses = {
            "train_loss": 2.5 * 0.96**step + chance.random() * 0.2,
            "valid_loss": 2.6 * 0.97**step,
        }
        tell(job, f"Step {step} of 100", step=step, total_steps=100, **losses)
    for words in ("Job created.", "The file is fine: 25 examples.", "Training started."):
        tell(job, words)
    TaskFactory(
        kind=jobs.KIND,
        idempotency_key=jobs.key(job),
        state=Task.State.RUNNING,
        progress=0.6,
        step="running",
        worker="worker-1",
        lease_until=now() + timedelta(minutes=5),
    )
    return job


def tell(job: FineTuneJob, words: str, **data: float) -> None:
    """One event of the endpoint, as the task stores it."""
    FineTuneEvent.objects.create(
        job=job,
        remote_event_id=f"ftevent-{job.events.count()}",
        level="info",
        type="metrics" if data else "message",
        message=words,
        data=data,
    )
