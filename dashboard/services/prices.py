"""What models cost, as admins entered it, and what an answer came to."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from dashboard.models import ModelPrice, SpeechPrice
from dashboard.services import audit, outbox
from trainerbot.errors import InvalidInput

TOPIC = "settings"
A_MILLION = Decimal(1_000_000)
SMALLEST_USD = Decimal("0.000001")
Price = TypeVar("Price", ModelPrice, SpeechPrice)


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


def save(*, model: str, prompt_usd: Decimal, completion_usd: Decimal, actor: User) -> ModelPrice:
    """Count the answers of `model` from now on at these US dollars for a million tokens.

    What was answered before keeps its cost. Raises InvalidInput, in words,
    for a price that is none.
    """
    row = ModelPrice.objects.filter(model=model).first() or ModelPrice(model=model)
    return put(
        row,
        name=model,
        action="price.set",
        actor=actor,
        prompt_usd=prompt_usd,
        completion_usd=completion_usd,
    )


def remove(*, model: str, actor: User) -> None:
    """Count the answers of `model` without a price from now on."""
    drop(ModelPrice.objects.filter(model=model), name=model, action="price.remove", actor=actor)


# --- a price of any kind ------------------------------------------------------------
@transaction.atomic
def put(price: Price, *, name: str, action: str, actor: User, **usd: Decimal) -> Price:
    """Save what `name` costs from now on, audited as `action` and told to all processes.

    usd: the amounts by the names of their columns. Raises InvalidInput, in
    words, for a price that is none.
    """
    for column, amount in usd.items():
        setattr(price, column, amount)
    try:
        price.full_clean()
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages)) from error
    price.save()
    audit.record(actor, action, name, **{column: str(amount) for column, amount in usd.items()})
    outbox.publish(TOPIC, "settings.changed")
    return price


@transaction.atomic
def drop(prices: QuerySet[Price], *, name: str, action: str, actor: User) -> None:
    """Remove what `name` costs, if it had a price."""
    deleted, _ = prices.delete()
    if deleted:
        audit.record(actor, action, name)
        outbox.publish(TOPIC, "settings.changed")
