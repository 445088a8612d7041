"""How the bot answers, as set on the dashboard; read at each turn, so no restart is needed."""

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from dashboard.models import AssistantSettings
from dashboard.services import audit, outbox, routing
from trainerbot.errors import InvalidInput

MOST_TOKENS = 1_000_000
DEFAULT_PROMPT = "You are a helpful assistant. Answer briefly and truthfully."


def current() -> AssistantSettings:
    """The one row, or its defaults while nobody has saved any."""
    row = AssistantSettings.objects.filter(pk=1).first()
    return row or AssistantSettings(pk=1, system_prompt=DEFAULT_PROMPT)


@transaction.atomic
def save(*, changed: AssistantSettings, actor: User | None) -> AssistantSettings:
    """Put `changed` in force, on every face, from the next message on.

    Raises InvalidInput, in words, for a value out of its range.
    """
    changed.pk = 1
    try:
        changed.full_clean(validate_unique=False)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages)) from error
    if not 1 <= changed.max_tokens <= MOST_TOKENS:
        raise InvalidInput(f"The longest answer has 1 to {MOST_TOKENS:,} tokens.")
    routing.check_named(changed.model)
    routing.check_judge(changed.judge_model)
    AssistantSettings.objects.get_or_create(pk=1)
    changed.save(force_update=True)
    audit.record(actor, "settings.change", "assistant", model=changed.model)
    outbox.publish("settings", "settings.changed")
    return changed


def use_model(model: str, *, actor: User | None) -> AssistantSettings:
    """Let `model` answer everywhere from the next message on; "" for the endpoint's own."""
    row = current()
    row.model = model
    return save(changed=row, actor=actor)
