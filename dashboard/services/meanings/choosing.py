"""Which model compares questions: what an admin chose, what there is, and how far it has come."""

from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction

from dashboard.models import Correction, MeaningSettings
from dashboard.services import audit, outbox, providers
from dashboard.services.meanings import asking, spaces
from trainerbot.endpoints import Endpoint
from trainerbot.errors import InvalidInput, NotFound, TrainerBotError

By = MeaningSettings.By
OURS = "modelserver"
FOR_EMBEDDINGS = ("embed", "bge", "e5-", "gte-", "minilm", "labse")
"""One of these is in the name of nearly every model that is made to compare texts."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An embedding model that answers now, and the name of its endpoint."""

    endpoint: str
    model: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What recall compares by just now.

    model: the one in force, "" while there is none. n_embedded: of the
    n_approved corrections those that have a vector of it. problem: why the
    wanted model does not answer, in words.
    """

    model: str
    endpoint: str
    n_approved: int
    n_embedded: int
    n_tokens: int
    cost_usd: Decimal
    problem: str
    is_allowed: bool


def current() -> MeaningSettings:
    """The one row, or its defaults while nobody has saved any."""
    return MeaningSettings.objects.filter(pk=1).first() or MeaningSettings(pk=1)


@transaction.atomic
def choose(*, by: str, endpoint: str = "", model: str = "", actor: User | None) -> MeaningSettings:
    """Let recall compare by this from now on; until its vectors are made, by words.

    Raises InvalidInput, in words, for a model without a name or an endpoint
    that is not known.
    """
    if by not in By.values:
        raise InvalidInput("Choose one of the ways to compare questions.")
    endpoint, model = (endpoint, model.strip()) if by == By.CHOSEN else ("", "")
    if by == By.CHOSEN:
        if not model:
            raise InvalidInput("Name the embedding model.")
        if len(model) > 200:
            raise InvalidInput("The name of a model has 200 characters at most.")
        try:
            providers.named(endpoint)
        except NotFound as error:
            raise InvalidInput(str(error)) from error
    row, _ = MeaningSettings.objects.select_for_update().get_or_create(pk=1)
    if (row.by, row.endpoint, row.model) != (by, endpoint, model):
        row.by, row.endpoint, row.model, row.problem = by, endpoint, model, ""
        row.save(update_fields=["by", "endpoint", "model", "problem", "updated_at"])
        audit.record(actor, "settings.change", "recall", by=by, endpoint=endpoint, model=model)
        outbox.publish("settings", "settings.changed")
    return row


def offers() -> list[Offer]:
    """The embedding models that answer now, our own server's first. Asks every endpoint."""
    found: list[Offer] = []
    try:
        known = list(providers.endpoints().values())
    except InvalidInput:
        known = [providers.endpoint()]
    for endpoint in sorted(known, key=lambda each: each.name != OURS):
        try:
            found += [Offer(endpoint.name, model) for model in listed(endpoint)]
        except TrainerBotError:
            continue  # what does not answer now is no offer
    return found


def listed(endpoint: Endpoint) -> list[str]:
    """Return the models of an endpoint that seem made for embeddings. Raises as `models`."""
    rows = asking.client(asking.hurried(endpoint)).models()
    return [row.id for row in rows if any(word in row.id.lower() for word in FOR_EMBEDDINGS)]


def standing() -> Standing:
    """What is in force, and how many corrections have their vector."""
    row = current()
    approved = Correction.objects.approved()
    return Standing(
        model=row.space_model if row.space else "",
        endpoint=row.space_endpoint if row.space else "",
        n_approved=approved.count(),
        n_embedded=approved.filter(vector_model=row.space).count() if row.space else 0,
        n_tokens=row.n_tokens,
        cost_usd=row.cost_usd,
        problem=row.problem,
        is_allowed=spaces.is_allowed(),
    )
