import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0007_long_edits"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DatasetExport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "key",
                    models.UUIDField(
                        default=uuid.uuid4,
                        help_text="Names it in addresses and on the disk",
                        unique=True,
                    ),
                ),
                ("formats", models.JSONField(help_text="Names of the formats, such as chat-jsonl")),
                (
                    "part",
                    models.CharField(
                        blank=True,
                        help_text="Which part of its split; empty for all rows",
                        max_length=10,
                    ),
                ),
                (
                    "is_archive",
                    models.BooleanField(
                        default=False, help_text="Whether it is one zip with a manifest"
                    ),
                ),
                (
                    "filename",
                    models.CharField(
                        blank=True,
                        help_text="As it is downloaded; empty until it is written",
                        max_length=255,
                    ),
                ),
                (
                    "content_type",
                    models.CharField(blank=True, help_text="Its media type", max_length=80),
                ),
                (
                    "n_examples",
                    models.PositiveIntegerField(default=0, help_text="How many rows are in it"),
                ),
                (
                    "n_left_out",
                    models.PositiveIntegerField(
                        default=0, help_text="How many rows a format could not hold"
                    ),
                ),
                (
                    "left_out",
                    models.JSONField(
                        default=dict, help_text="Why rows are not in it: {reason: rows}"
                    ),
                ),
                ("n_bytes", models.PositiveBigIntegerField(default=0, help_text="Its size")),
                (
                    "sha256",
                    models.CharField(blank=True, help_text="Of its bytes, hex", max_length=64),
                ),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, help_text="When it was asked for"),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        help_text="Who asked for it; empty for a command",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "task",
                    models.OneToOneField(
                        help_text="The work, and where it stands",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="dashboard.task",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        help_text="Whose rows",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exports",
                        to="dashboard.datasetversion",
                    ),
                ),
            ],
        ),
    ]
