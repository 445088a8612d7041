"""Where training rows come from, and whether they may be trained on at all."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count
from django.utils.timezone import now

from dashboard.models import DatasetVersion, Provenance
from dashboard.services import access, audit, datasets, outbox, storage
from dashboard.services.access import Permission
from trainerbot.errors import InvalidInput

Source = Provenance.Source
# What Discord's developer policy forbids training on without its express permission.
NEEDS_PERMISSION = (Source.DISCORD_MESSAGE,)


@dataclass(frozen=True, slots=True)
class Share:
    """The rows of a version that came from one hand."""

    provenance: Provenance
    n_rows: int

    @property
    def is_forbidden(self) -> bool:
        """Whether nobody permitted training on them although somebody must."""
        return self.provenance.source in NEEDS_PERMISSION and not self.provenance.permission

    @property
    def told(self) -> dict[str, Any]:
        """What proofs and manifests say of it."""
        return {
            "source": self.provenance.source,
            "author": self.provenance.author,
            "licence": self.provenance.licence,
            "reference": self.provenance.reference,
            "permission": self.provenance.permission,
            "rows": self.n_rows,
        }


def shares(version: DatasetVersion) -> list[Share]:
    """Whence the rows of `version` come, most rows first; removed rows do not count."""
    # Counted in their index alone, read once; grouped by the database, the removed
    # ones would be looked for in all rows.
    counted = version.examples.order_by().values_list("provenance").annotate(n_rows=Count("*"))
    n_rows = dict(counted)
    n_removed = Counter(
        version.examples.filter(removed_by__isnull=False).values_list("provenance", flat=True)
    )
    found = Provenance.objects.select_related("permitted_by").in_bulk(list(n_rows))
    told = [Share(each, n_rows[pk] - n_removed[pk]) for pk, each in sorted(found.items())]
    told = [share for share in told if share.n_rows]
    return sorted(told, key=lambda share: -share.n_rows)


def by_source(found: Iterable[Share]) -> dict[str, int]:
    """How many rows came from each source, such as "upload"."""
    rows: Counter[str] = Counter()
    for share in found:
        rows[share.provenance.source] += share.n_rows
    return dict(rows)


def check(version: DatasetVersion) -> dict[str, Any]:
    """Return the proof that `version` may be trained on, to be stored with the job.

    {"rows": {source: count}, "sources": [{source, author, licence, reference,
    permission, rows}], "sha256"}. Raises InvalidInput, in words, when it may not.
    """
    found = shares(version)
    forbidden = sum(share.n_rows for share in found if share.is_forbidden)
    if forbidden:
        raise InvalidInput(
            f"{forbidden:,} examples of {version} are Discord message content. Discord's "
            "developer policy forbids training on it without Discord's express permission. "
            "Remove them, or let an admin record that permission on the dataset's page."
        )
    return {
        "rows": by_source(found),
        "sources": [share.told for share in found],
        "sha256": version.sha256,
    }


@transaction.atomic
def permit(version: DatasetVersion, *, permission: str, actor: User) -> int:
    """Record in an admin's words that Discord permits training on these messages.

    Returns how many rows it covers. Raises NotAllowed for others than admins
    and InvalidInput for a permission that says nothing.
    """
    access.require(actor, Permission.PERMIT)
    words = permission.strip()
    if len(words) < 10 or not storage.holds(words):
        raise InvalidInput(
            "Say who permitted it and where that is written, so that it can be checked later."
        )
    covered = [share for share in shares(version) if share.is_forbidden]
    Provenance.objects.filter(pk__in=[share.provenance.pk for share in covered]).update(
        permission=words[:2000], permitted_by=actor, permitted_at=now()
    )
    n_rows = sum(share.n_rows for share in covered)
    audit.record(actor, "dataset.permit", str(version), n_rows=n_rows, permission=words[:2000])
    outbox.publish(datasets.TOPIC, "dataset.changed", id=version.dataset_id)
    return n_rows
