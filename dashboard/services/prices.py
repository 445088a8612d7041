"""What models cost, as admins entered it, and what an answer came to."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from dashboard.models import ModelPrice
from dashboard.services import audit, outbox
from trainerbot.errors import InvalidInput

TOPIC = "settings"
A_MILLION = Decimal(1_000_000)
SMALLEST_USD = Decimal("0.000001")


def cost(
    prices: Mapping[str, ModelPrice],
    *,
    model: str,
    prompt_tokens: int | None,
    completion_tokens: int | None,
) -> Decimal | None:
    """US dollars of one answer; None where no price is known, or the endpoint told no tokens."""
    price = prices.get(model)
    if price is None or (prompt_tokens is None and completion_tokens is None):
        return None
    read = price.prompt_usd * (prompt_tokens or 0)
    written = price.completion_usd * (completion_tokens or 0)
    return ((read + written) / A_MILLION).quantize(SMALLEST_USD, ROUND_HALF_UP)


@transaction.atomic
def save(*, model: str, prompt_usd: Decimal, completion_usd: Decimal, actor: User) -> ModelPrice:
    """Count the answers of `model` from now on at these US dollars for a million tokens.

    What was answered before keeps its cost. Raises InvalidInput, in words,
    for a price that is none.
    """
    row = ModelPrice.objects.filter(model=model).first() or ModelPrice(model=model)
    row.prompt_usd, row.completion_usd = prompt_usd, completion_usd
    try:
        row.full_clean()
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages)) from error
    row.save()
    audit.record(
        actor, "price.set", model, prompt_usd=str(prompt_usd), completion_usd=str(completion_usd)
    )
    outbox.publish(TOPIC, "settings.changed")
    return row


@transaction.atomic
def remove(*, model: str, actor: User) -> None:
    """Count the answers of `model` without a price from now on."""
    deleted, _ = ModelPrice.objects.filter(model=model).delete()
    if deleted:
        audit.record(actor, "price.remove", model)
        outbox.publish(TOPIC, "settings.changed")
