"""What was said, by whom, where, and what answering cost."""

from django.conf import settings
from django.db import models
from django.utils.timezone import now

from dashboard.models.people import DiscordChannel, DiscordUser


class Source(models.TextChoices):
    """The face through which words came."""

    DISCORD = "discord", "Discord"
    PLAYGROUND = "playground", "Playground"
    API = "api", "Command or API"


class Conversation(models.Model):
    """A thread of messages that one memory spans; nothing leaks between two."""

    source = models.CharField(max_length=12, choices=Source, help_text="The face it happened on")
    title = models.CharField(max_length=120, blank=True, help_text="The first question, shortened")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.CASCADE,
        related_name="conversations",
        help_text="Whose it is, in the Playground",
    )
    discord_user = models.ForeignKey(
        DiscordUser,
        null=True,
        on_delete=models.CASCADE,
        related_name="conversations",
        help_text="With whom, on Discord",
    )
    discord_channel = models.ForeignKey(
        DiscordChannel,
        null=True,
        on_delete=models.CASCADE,
        related_name="conversations",
        help_text="Where, on Discord",
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it began")
    last_message_at = models.DateTimeField(default=now, help_text="When last spoken in")
    forgotten_before = models.BigIntegerField(
        default=0, help_text="No model reads messages with lower ids again; they stay in the log"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["discord_channel", "discord_user"],
                name="conversation_one_per_channel_and_user",
            )
        ]
        indexes = [models.Index(fields=["-last_message_at", "-id"], name="conversation_recent")]

    def __str__(self) -> str:
        return self.title or f"Conversation {self.pk}"

    @property
    def with_whom(self) -> str:
        person = self.discord_user or self.user
        return str(person) if person else "command"


class Message(models.Model):
    """One message as it was said; an answer also holds how it came about."""

    class Role(models.TextChoices):
        USER = "user"
        ASSISTANT = "assistant"

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="messages", help_text="Its thread"
    )
    role = models.CharField(max_length=12, choices=Role, help_text="Who speaks")
    content = models.TextField(blank=True, help_text="The words, verbatim")
    source = models.CharField(max_length=12, choices=Source, help_text="The face it came through")
    reply_to = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.SET_NULL,
        related_name="replies",
        help_text="The question that this answers, or the answer that this question is about",
    )
    model = models.CharField(max_length=200, blank=True, help_text="Which model answered")
    release = models.ForeignKey(
        "dashboard.Release",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Of a question: the release that was to answer it",
    )
    correction = models.ForeignKey(
        "dashboard.Correction",
        null=True,
        on_delete=models.SET_NULL,
        related_name="firings",
        help_text="The correction whose own words were the answer",
    )
    example_ids = models.JSONField(
        default=list, help_text="Ids of the corrections shown to the model, best first"
    )
    prompt_tokens = models.PositiveIntegerField(null=True, help_text="Tokens read, if told")
    completion_tokens = models.PositiveIntegerField(null=True, help_text="Tokens written, if told")
    cost_usd = models.DecimalField(
        max_digits=12, decimal_places=6, null=True, help_text="US dollars, where a price is known"
    )
    charged_at = models.DateTimeField(
        null=True, help_text="When it was counted in the usage of its month, once"
    )
    first_token_ms = models.PositiveIntegerField(null=True, help_text="Until the first words")
    total_ms = models.PositiveIntegerField(null=True, help_text="Until the last word")
    fingerprint = models.CharField(
        max_length=300, blank=True, help_text="The endpoint's system_fingerprint"
    )
    error = models.TextField(blank=True, help_text="Why there is no answer, in words")
    audio = models.FileField(
        blank=True, upload_to="audio/", help_text="What was spoken, where consent keeps it"
    )
    attachments = models.JSONField(
        default=list, help_text="What came with it: {name, content_type, n_bytes, use} each"
    )
    discord_message_id = models.BigIntegerField(null=True, unique=True, help_text="Discord's id")
    discord_parts = models.JSONField(
        default=list, help_text="Discord's ids of the further messages of a long answer"
    )
    begun_discord_message_id = models.BigIntegerField(
        null=True, help_text="Of a question: Discord's id of the message that began to answer it"
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was logged")

    class Meta:
        indexes = [
            models.Index(fields=["conversation", "id"], name="message_in_order"),
            models.Index(fields=["created_at"], name="message_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.content[:60]}"


class Feedback(models.Model):
    """What a person thought of one answer."""

    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="feedback", help_text="The answer meant"
    )
    rating = models.SmallIntegerField(
        default=0, help_text="1 for good, -1 for bad, 0 for words only"
    )
    text = models.TextField(blank=True, help_text="In their own words")
    tone = models.CharField(
        max_length=8, blank=True, help_text="Of the words: positive, negative or neutral"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who, on the dashboard",
    )
    discord_user = models.ForeignKey(
        DiscordUser,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who, on Discord",
    )
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was given")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(rating__in=[-1, 0, 1]), name="feedback_rating_is_known"
            ),
            models.UniqueConstraint(
                fields=["message", "user"],
                condition=models.Q(user__isnull=False),
                name="feedback_is_one_a_user",
            ),
            models.UniqueConstraint(
                fields=["message", "discord_user"],
                condition=models.Q(discord_user__isnull=False),
                name="feedback_is_one_a_discord_user",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rating:+d} {self.text[:60]}".strip()
