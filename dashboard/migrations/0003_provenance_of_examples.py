import hashlib
from typing import Any

from django.db import migrations
from django.db.models import F

from trainerbot.formats import canonical


def name_their_sources(apps: Any, schema_editor: Any) -> None:
    """One provenance for all rows of one version that came from one hand."""
    Example = apps.get_model("dashboard", "Example")
    Provenance = apps.get_model("dashboard", "Provenance")
    Version = apps.get_model("dashboard", "DatasetVersion")
    for version in Version._base_manager.all():
        rows = Example.objects.filter(version=version)
        for source, author in rows.values_list("source", "author").distinct():
            provenance = Provenance.objects.create(
                source=source, author=author, reference=version.source_filename
            )
            rows.filter(source=source, author=author).update(provenance=provenance)
    Version._base_manager.filter(is_whole=True).update(frozen_at=F("created_at"))


def write_them_into_the_rows(apps: Any, schema_editor: Any) -> None:
    Example = apps.get_model("dashboard", "Example")
    Provenance = apps.get_model("dashboard", "Provenance")
    for provenance in Provenance.objects.all():
        Example.objects.filter(provenance=provenance).update(
            source=provenance.source, author=provenance.author
        )
    _freeze_drafts(apps)


def _freeze_drafts(apps: Any) -> None:
    """The program before this one knows no drafts: what it sees, it trains on. None is lost."""
    Example = apps.get_model("dashboard", "Example")
    Version = apps.get_model("dashboard", "DatasetVersion")
    for draft in Version._base_manager.filter(is_whole=True, frozen_at=None):
        Example.objects.filter(version=draft).exclude(removed_by=None).delete()
        digest, n_examples, n_bytes = hashlib.sha256(), 0, 0
        rows = Example.objects.filter(version=draft).order_by("position")
        for record in rows.values_list("record", flat=True).iterator(chunk_size=500):
            line = canonical(record).encode()
            digest.update(line)
            n_examples, n_bytes = n_examples + 1, n_bytes + len(line)
        Version._base_manager.filter(pk=draft.pk).update(
            sha256=digest.hexdigest(),
            n_examples=n_examples,
            n_bytes=n_bytes,
            is_whole=n_examples > 0,
        )


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0002_datasets_as_drafts")]

    operations = [migrations.RunPython(name_their_sources, write_them_into_the_rows)]
