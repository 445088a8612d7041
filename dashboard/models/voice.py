"""Voice: how the bot listens and speaks in a guild, and the calls it takes part in."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from dashboard.models.people import DiscordChannel, DiscordGuild


class VoiceSettings(models.Model):
    """How the bot listens and speaks in a guild; what is empty falls through to the settings.

    Chains name providers, first choice first: each is tried until one succeeds.
    """

    class Speaks(models.TextChoices):
        NEVER = "never", "Never"
        TO_SPEECH = "to_speech", "When asked by voice"
        ALWAYS = "always", "Always"

    guild = models.OneToOneField(
        DiscordGuild, on_delete=models.CASCADE, related_name="voice", help_text="Which"
    )
    recognizers = models.JSONField(
        default=list, blank=True, help_text="Names of those who hear, first choice first"
    )
    synthesizers = models.JSONField(
        default=list, blank=True, help_text="Names of those who speak, first choice first"
    )
    voice = models.CharField(
        max_length=100, blank=True, help_text="Voice of the first synthesizer; empty: its own"
    )
    speaks = models.CharField(
        max_length=9,
        choices=Speaks,
        default=Speaks.TO_SPEECH,
        help_text="Which answers in text channels are also spoken",
    )
    wake_name = models.CharField(
        max_length=50, blank=True, help_text="What it is called in a call; empty: its own name"
    )
    needs_wake_name = models.BooleanField(
        default=True, help_text="With two or more people in a call, only answer when called by name"
    )
    can_be_interrupted = models.BooleanField(
        default=True, help_text="Whether it falls silent when somebody speaks"
    )
    leaves_after_s = models.PositiveIntegerField(
        default=300,
        validators=[MaxValueValidator(86_400)],
        help_text="Seconds alone in a call after which it leaves; 0: stays",
    )
    keeps_audio_days = models.PositiveIntegerField(
        default=0,
        validators=[MaxValueValidator(365)],
        help_text="Days that recordings of what was said are kept; 0: none is ever stored",
    )
    updated_at = models.DateTimeField(auto_now=True, help_text="When last changed")

    class Meta:
        verbose_name_plural = "voice settings"

    def __str__(self) -> str:
        return f"Voice of {self.guild}"


class VoiceCall(models.Model):
    """One stay of the bot in a voice channel, from the wish until it has left for good."""

    class State(models.TextChoices):
        JOINING = "joining", "Joining"
        CONNECTED = "connected", "In the call"
        RECONNECTING = "reconnecting", "Reconnecting"
        ENDED = "ended", "Ended"

    guild = models.ForeignKey(
        DiscordGuild, on_delete=models.CASCADE, related_name="calls", help_text="Where"
    )
    channel = models.ForeignKey(
        DiscordChannel,
        on_delete=models.CASCADE,
        related_name="calls",
        help_text="Which voice channel it wants to be in",
    )
    text_channel = models.ForeignKey(
        DiscordChannel,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Where transcripts, answers and faults are posted",
    )
    state = models.CharField(
        max_length=12, choices=State, default=State.JOINING, help_text="How far it has come"
    )
    problem = models.TextField(blank=True, help_text="What is wrong now, in words")
    ended_because = models.CharField(max_length=200, blank=True, help_text="Why it left, in words")
    figures = models.JSONField(
        default=dict, help_text="Counters of the connection, as the bot last reported them"
    )
    words = models.JSONField(
        default=dict,
        help_text="What people are saying to the bot at this moment, by id; emptied once it is final",
    )
    started_at = models.DateTimeField(default=now, help_text="When it was asked to join")
    connected_at = models.DateTimeField(null=True, help_text="When it was last connected")
    ended_at = models.DateTimeField(null=True, help_text="When it left; empty while it is wanted")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["guild"], condition=Q(ended_at=None), name="voicecall_is_one_a_guild"
            )
        ]
        indexes = [models.Index(fields=["-started_at", "-id"], name="voicecall_recent")]

    def __str__(self) -> str:
        return f"Call in {self.channel}"


class Utterance(models.Model):
    """What one person said in one go: in a call, or in a sound that was attached to a message.

    Its words are also the content of `message`, once it was a question.
    """

    call = models.ForeignKey(
        VoiceCall,
        null=True,
        on_delete=models.CASCADE,
        related_name="utterances",
        help_text="In which call; empty for an attached sound",
    )
    discord_user = models.ForeignKey(
        "dashboard.DiscordUser",
        null=True,
        on_delete=models.CASCADE,
        related_name="utterances",
        help_text="Who spoke",
    )
    message = models.OneToOneField(
        "dashboard.Message",
        null=True,
        on_delete=models.SET_NULL,
        related_name="utterance",
        help_text="The question that it became; empty if it was none",
    )
    text = models.TextField(blank=True, help_text="What was heard, verbatim")
    language = models.CharField(max_length=35, blank=True, help_text="Language tag")
    provider = models.CharField(max_length=50, blank=True, help_text="Who made it out")
    problem = models.TextField(blank=True, help_text="Why nothing was made out, in words")
    duration_ms = models.PositiveIntegerField(default=0, help_text="Length of the sound")
    stages_ms = models.JSONField(
        default=dict,
        help_text="From the end of speech to each stage: {heard, first_word, first_sound, ...}",
    )
    spoken = models.TextField(
        blank=True, help_text="How much of the answer was really heard; empty if none was spoken"
    )
    was_interrupted = models.BooleanField(
        default=False, help_text="Whether somebody spoke before the answer was over"
    )
    audio_until = models.DateTimeField(
        null=True, help_text="When its recording, `message.audio`, is to be deleted"
    )
    created_at = models.DateTimeField(default=now, help_text="When the speech ended")

    class Meta:
        indexes = [
            models.Index(fields=["call", "-id"], name="utterance_of_call"),
            models.Index(fields=["audio_until"], name="utterance_audio_until"),
        ]

    def __str__(self) -> str:
        return self.text[:60] or self.problem[:60]
