import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DatasetEdit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "verb",
                    models.CharField(
                        choices=[
                            ("add", "Added"),
                            ("rewrite", "Rewrote"),
                            ("remove", "Removed"),
                            ("mask", "Masked private data"),
                            ("deduplicate", "Removed duplicates"),
                            ("split", "Split"),
                        ],
                        help_text="What was done",
                        max_length=12,
                    ),
                ),
                ("args", models.JSONField(default=dict, help_text="What it was asked with")),
                (
                    "n_rows",
                    models.PositiveIntegerField(default=0, help_text="How many rows it changed"),
                ),
                (
                    "is_done",
                    models.BooleanField(
                        default=True,
                        help_text="Off while a long one runs; nothing else may change meanwhile",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, help_text="When")),
                ("undone_at", models.DateTimeField(help_text="When it was taken back", null=True)),
            ],
        ),
        migrations.CreateModel(
            name="DatasetImport",
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
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("receiving", "Uploading"),
                            ("received", "Waiting"),
                            ("checking", "Checking"),
                            ("checked", "Checked"),
                            ("importing", "Importing"),
                            ("imported", "Imported"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="receiving",
                        help_text="How far it is",
                        max_length=10,
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        blank=True, help_text="The dataset to make or extend", max_length=120
                    ),
                ),
                ("filename", models.CharField(help_text="As its owner calls it", max_length=255)),
                (
                    "path",
                    models.TextField(
                        blank=True, help_text="A command's own file or folder; empty for an upload"
                    ),
                ),
                ("n_bytes", models.PositiveBigIntegerField(default=0, help_text="Its whole size")),
                (
                    "n_received",
                    models.PositiveBigIntegerField(default=0, help_text="Bytes that have come"),
                ),
                (
                    "file_format",
                    models.CharField(
                        blank=True,
                        help_text="What it is read as; empty until it is known",
                        max_length=40,
                    ),
                ),
                (
                    "options",
                    models.JSONField(
                        default=dict, help_text="What a person said of it: {mapping, label, sheet}"
                    ),
                ),
                (
                    "target",
                    models.CharField(
                        blank=True, help_text="Whose rules it is held to", max_length=40
                    ),
                ),
                (
                    "skip_faulty",
                    models.BooleanField(
                        default=False,
                        help_text="Import the good rows and leave the faulty ones out",
                    ),
                ),
                (
                    "freeze",
                    models.BooleanField(
                        default=False, help_text="Freeze the version at once, without a draft"
                    ),
                ),
                (
                    "detected",
                    models.JSONField(
                        default=dict,
                        help_text="What it was taken for: {format, kind, said, columns, ...}",
                    ),
                ),
                (
                    "report",
                    models.JSONField(
                        default=dict,
                        help_text="What the check found: {n_examples, n_errors, problems, ...}",
                    ),
                ),
                ("error", models.TextField(blank=True, help_text="Why it failed, in words")),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, help_text="When it was begun"),
                ),
                ("updated_at", models.DateTimeField(auto_now=True, help_text="When it last moved")),
            ],
        ),
        migrations.CreateModel(
            name="EditedExample",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("record", models.JSONField(help_text="As it was")),
                ("part", models.CharField(blank=True, help_text="As it was", max_length=10)),
                (
                    "was_edited",
                    models.BooleanField(
                        default=False, help_text="Whether it had been changed before"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LegacyJob",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "remote_job_id",
                    models.CharField(help_text="As it was saved", max_length=200, unique=True),
                ),
                ("description", models.TextField(blank=True, help_text="As it was saved")),
                (
                    "created_at",
                    models.DateTimeField(
                        help_text="When it was saved; the older shape of the file does not tell",
                        null=True,
                    ),
                ),
                (
                    "source_filename",
                    models.CharField(help_text="The file it came from", max_length=255),
                ),
                (
                    "imported_at",
                    models.DateTimeField(auto_now_add=True, help_text="When it was imported"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Provenance",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("upload", "Uploaded file"),
                            ("command", "Command line"),
                            ("dashboard", "Written on the dashboard"),
                            ("discord_command", "Discord command or form"),
                            ("discord_message", "Discord message content"),
                            ("correction", "Correction"),
                        ],
                        help_text="Where the words came from",
                        max_length=20,
                    ),
                ),
                ("author", models.CharField(blank=True, help_text="Who gave them", max_length=150)),
                (
                    "licence",
                    models.CharField(
                        blank=True,
                        help_text="Their licence, such as MIT or CC-BY-4.0",
                        max_length=120,
                    ),
                ),
                (
                    "reference",
                    models.CharField(
                        blank=True,
                        help_text='Which one: a file name, "correction #3"',
                        max_length=255,
                    ),
                ),
                (
                    "permission",
                    models.TextField(
                        blank=True,
                        help_text="Who permitted training on them, and where that is written",
                    ),
                ),
                ("permitted_at", models.DateTimeField(help_text="When it was recorded", null=True)),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, help_text="When the words came in"),
                ),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="datasetversion",
            name="datasetversion_is_not_empty",
        ),
        migrations.AddField(
            model_name="assistantsettings",
            name="training_price",
            field=models.DecimalField(
                blank=True,
                decimal_places=4,
                help_text="What the endpoint charges for a million trained tokens; empty if unknown",
                max_digits=10,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="datasetversion",
            name="frozen_at",
            field=models.DateTimeField(
                help_text="Since when nothing in it changes; empty for a draft", null=True
            ),
        ),
        migrations.AddField(
            model_name="datasetversion",
            name="frozen_by",
            field=models.ForeignKey(
                help_text="Who froze it; empty for a command",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="datasetversion",
            name="kind",
            field=models.CharField(
                choices=[
                    ("chat", "chat"),
                    ("preference", "preference"),
                    ("unpaired", "unpaired"),
                    ("labelled", "labelled"),
                ],
                default="chat",
                help_text="What its rows are: conversations, preferences, judged answers or labelled texts",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="datasetversion",
            name="note",
            field=models.TextField(blank=True, help_text="What changed and why, for people"),
        ),
        migrations.AddField(
            model_name="datasetversion",
            name="parent",
            field=models.ForeignKey(
                help_text="The version that this one was copied from",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="children",
                to="dashboard.datasetversion",
            ),
        ),
        migrations.AddField(
            model_name="datasetversion",
            name="split",
            field=models.JSONField(
                default=dict, help_text="How it was split: {seed, shares}; empty for no split"
            ),
        ),
        migrations.AddField(
            model_name="datasetversion",
            name="summary",
            field=models.JSONField(
                default=dict,
                help_text="Tokens, labels, duplicates, private data, lengths: what was found",
            ),
        ),
        migrations.AddField(
            model_name="example",
            name="digest",
            field=models.BigIntegerField(
                help_text="Of its folded words: equal for exact duplicates; empty until taken",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="example",
            name="duplicate_of",
            field=models.PositiveIntegerField(
                help_text="Position of the example that it repeats", null=True
            ),
        ),
        migrations.AddField(
            model_name="example",
            name="edited",
            field=models.BooleanField(
                default=False, help_text="Whether a person changed its words"
            ),
        ),
        migrations.AddField(
            model_name="example",
            name="label",
            field=models.CharField(
                blank=True,
                help_text="Its class, where it has one; cut at 100 characters",
                max_length=100,
            ),
        ),
        migrations.AddField(
            model_name="example",
            name="likeness",
            field=models.FloatField(
                help_text="How alike the two are, 0 to 1; 1 is an exact duplicate", null=True
            ),
        ),
        migrations.AddField(
            model_name="example",
            name="n_private",
            field=models.PositiveSmallIntegerField(
                help_text="Places that look private; empty until looked for", null=True
            ),
        ),
        migrations.AddField(
            model_name="example",
            name="n_tokens",
            field=models.PositiveIntegerField(
                help_text="Its length; empty until counted", null=True
            ),
        ),
        migrations.AddField(
            model_name="example",
            name="outlier",
            field=models.SmallIntegerField(
                default=0, help_text="-1 far shorter, 1 far longer than the others, else 0"
            ),
        ),
        migrations.AddField(
            model_name="example",
            name="part",
            field=models.CharField(
                blank=True,
                help_text="train, validation or test; empty before a split",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="finetunejob",
            name="remote_validation_file_id",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The uploaded validation file's id, of a split version",
                max_length=100,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="finetunejob",
            name="provenance",
            field=models.JSONField(
                default=dict,
                help_text="What it was allowed to train on: rows per source, permissions, file hashes",
            ),
        ),
        migrations.AlterField(
            model_name="datasetversion",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, help_text="When it was made"),
        ),
        migrations.AlterField(
            model_name="datasetversion",
            name="created_by",
            field=models.ForeignKey(
                help_text="Who made it; empty for a command",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="datasetversion",
            name="sha256",
            field=models.CharField(
                blank=True,
                help_text="Hash of the canonical JSON lines, hex; once frozen",
                max_length=64,
            ),
        ),
        migrations.AlterField(
            model_name="example",
            name="answer",
            field=models.TextField(blank=True, help_text="What is to be answered, for lists"),
        ),
        migrations.AlterField(
            model_name="example",
            name="question",
            field=models.TextField(blank=True, help_text="What is asked, for lists"),
        ),
        migrations.AlterField(
            model_name="example",
            name="record",
            field=models.JSONField(help_text="The row: see trainerbot.formats.rows.Kind"),
        ),
        migrations.AlterField(
            model_name="example",
            name="version",
            field=models.ForeignKey(
                db_index=False,
                help_text="Its version",
                on_delete=django.db.models.deletion.CASCADE,
                related_name="examples",
                to="dashboard.datasetversion",
            ),
        ),
        migrations.AddField(
            model_name="datasetedit",
            name="created_by",
            field=models.ForeignKey(
                help_text="Who did it",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="datasetedit",
            name="version",
            field=models.ForeignKey(
                help_text="The draft",
                on_delete=django.db.models.deletion.CASCADE,
                related_name="edits",
                to="dashboard.datasetversion",
            ),
        ),
        migrations.AddField(
            model_name="example",
            name="removed_by",
            field=models.ForeignKey(
                db_index=False,
                help_text="The edit of a draft that took it out; it goes for good when frozen",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="removed",
                to="dashboard.datasetedit",
            ),
        ),
        migrations.AddField(
            model_name="datasetimport",
            name="created_by",
            field=models.ForeignKey(
                help_text="Who gave it; empty for a command",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="datasetimport",
            name="dataset",
            field=models.ForeignKey(
                help_text="Where it went",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="dashboard.dataset",
            ),
        ),
        migrations.AddField(
            model_name="datasetimport",
            name="version",
            field=models.ForeignKey(
                help_text="What it became",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="dashboard.datasetversion",
            ),
        ),
        migrations.AddField(
            model_name="editedexample",
            name="edit",
            field=models.ForeignKey(
                help_text="The edit",
                on_delete=django.db.models.deletion.CASCADE,
                related_name="before",
                to="dashboard.datasetedit",
            ),
        ),
        migrations.AddField(
            model_name="editedexample",
            name="example",
            field=models.ForeignKey(
                help_text="The row",
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="dashboard.example",
            ),
        ),
        migrations.AddField(
            model_name="provenance",
            name="permitted_by",
            field=models.ForeignKey(
                help_text="Which admin recorded the permission",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="datasetimport",
            name="provenance",
            field=models.ForeignKey(
                help_text="Of its rows",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="dashboard.provenance",
            ),
        ),
        migrations.AddField(
            model_name="example",
            name="provenance",
            field=models.ForeignKey(
                db_index=False,
                help_text="Where it came from",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="dashboard.provenance",
            ),
        ),
        migrations.AddIndex(
            model_name="example",
            index=models.Index(
                condition=models.Q(("removed_by__isnull", True)),
                fields=["version", "position"],
                name="example_kept",
            ),
        ),
        migrations.AddIndex(
            model_name="example",
            index=models.Index(
                fields=["version", "provenance", "position"], name="example_provenance"
            ),
        ),
        migrations.AddIndex(
            model_name="example",
            index=models.Index(
                condition=models.Q(("label", ""), _negated=True),
                fields=["version", "label", "position"],
                name="example_label",
            ),
        ),
        migrations.AddIndex(
            model_name="example",
            index=models.Index(
                condition=models.Q(("part", ""), _negated=True),
                fields=["version", "part", "position"],
                name="example_part",
            ),
        ),
        migrations.AddIndex(
            model_name="example",
            index=models.Index(
                condition=models.Q(("n_private__gt", 0)),
                fields=["version", "position"],
                name="example_private",
            ),
        ),
        migrations.AddIndex(
            model_name="example",
            index=models.Index(
                condition=models.Q(("duplicate_of__isnull", False)),
                fields=["version", "position"],
                name="example_duplicate",
            ),
        ),
        migrations.AddIndex(
            model_name="example",
            index=models.Index(
                condition=models.Q(("outlier", 0), _negated=True),
                fields=["version", "position"],
                name="example_outlier",
            ),
        ),
        migrations.AddIndex(
            model_name="example",
            index=models.Index(
                condition=models.Q(("edited", True)),
                fields=["version", "position"],
                name="example_edited",
            ),
        ),
        migrations.AddIndex(
            model_name="example",
            index=models.Index(
                condition=models.Q(("removed_by__isnull", False)),
                fields=["version", "position"],
                name="example_taken_out",
            ),
        ),
        migrations.AddIndex(
            model_name="example",
            index=models.Index(
                condition=models.Q(("removed_by__isnull", False)),
                fields=["removed_by"],
                name="example_removed",
            ),
        ),
        migrations.AddConstraint(
            model_name="editedexample",
            constraint=models.UniqueConstraint(
                fields=("edit", "example"), name="editedexample_is_kept_once"
            ),
        ),
    ]
