"""Those who hear and speak, as people are shown them; and in which language a page speaks."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from dashboard.models import DiscordGuild, Message, Utterance
from dashboard.services import places, speech
from trainerbot.speech import Standing, speaks

SEVERAL: Final = 4  # from so many on, one sentence for all is calmer than one for each
TESTING: Final = "scripted"  # of tests: offered only where somebody has chosen it

# Name and sentence of each; what is not here is shown by its own name.
ABOUT: Final = {
    "google": ("Google Speech", "Many languages, no key. The sound is sent to Google."),
    "faster_whisper": ("faster-whisper", "Whisper on this machine. Most languages, no network."),
    "sphinx": ("PocketSphinx", "English on this machine, a little roughly. No network."),
    "gtts": ("Google voice (gTTS)", "Many languages, no key. The text is sent to Google."),
    "espeak": ("eSpeak NG", "Many languages on this machine, a little robotic. No network."),
    "piper": ("Piper", "A natural voice on this machine, in its one language. No network."),
    "openai": ("OpenAI-compatible endpoint", "The endpoint of the settings; it may cost money."),
    TESTING: ("Scripted", "For tests."),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One who may hear or speak, in the order of a chain. is_default: named by the settings."""

    name: str
    label: str
    about: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class Told:
    """Whether one can be used now. problem: why not, in a sentence; "" if it can."""

    name: str
    problem: str


@dataclass(frozen=True, slots=True)
class Listener:
    """Who an answer is spoken to. guild_id: Discord's own, whose voice speaks."""

    language: str
    guild_id: int | None


def label(name: str) -> str:
    """What one who hears or speaks is called on a page."""
    return ABOUT[name][0] if name in ABOUT else name


def who_hear(chosen: Sequence[str] = ()) -> list[Choice]:
    """All who may hear, those of a chain first."""
    return _choices(chosen, settings.SPEECH_RECOGNIZERS, speech.recognizers())


def who_speak(chosen: Sequence[str] = ()) -> list[Choice]:
    """All who may speak, those of a chain first."""
    return _choices(chosen, settings.SPEECH_SYNTHESIZERS, speech.synthesizers())


def told(
    standings: Iterable[Standing], *, hears: bool, language: str, names: Collection[str]
) -> list[Told]:
    """What to say of each of `names` that hears, or speaks, about its use now and in a language."""
    found: dict[str, Told] = {}
    for standing in standings:
        if standing.name not in names or not (standing.hears if hears else standing.speaks):
            continue
        problem = standing.problem
        if not problem and not speaks(standing.languages, language):
            problem = f"It does not know the language of this server, {language}."
        found.setdefault(standing.name, Told(standing.name, problem))
    return list(found.values())


def shared_problem(standings: Iterable[Standing]) -> str:
    """What several of them suffer from alike, such as a server that is away; "" if nothing."""
    problems = Counter(each.problem for each in standings if each.problem)
    sentence, n = next(iter(problems.most_common(1)), ("", 0))
    return sentence if n >= SEVERAL else ""


def language_everywhere() -> str:
    """The tag in which a page hears and speaks, where nothing else was chosen."""
    return speech.language_for(None, places.rules().place(None))


def language_of(guild: DiscordGuild) -> str:
    """The tag of a server, where neither a channel nor a person has one of its own."""
    return speech.language_for(None, places.rules().place(guild.discord_guild_id))


def listener_of(answer: Message) -> Listener:
    """To whom an answer was given: in the language of the question if it was spoken."""
    talk = answer.conversation
    channel = talk.discord_channel
    guild_id = channel.guild.discord_guild_id if channel and channel.guild else None
    asked = Utterance.objects.filter(message=answer.reply_to_id).first()
    if asked is not None and asked.language:
        return Listener(asked.language, guild_id)
    where = [
        each.discord_channel_id
        for each in (channel, channel and channel.parent)
        if each is not None
    ]
    place = places.rules().place(guild_id, *where)
    return Listener(speech.language_for(talk.discord_user, place), guild_id)


def _choices(chosen: Sequence[str], default: Sequence[str], known: Sequence[str]) -> list[Choice]:
    hidden = {TESTING} - {*chosen, *default}
    names = dict.fromkeys(name for name in (*chosen, *default, *known) if name in known)
    return [
        Choice(name, label(name), ABOUT.get(name, ("", ""))[1], name in default)
        for name in names
        if name not in hidden
    ]
