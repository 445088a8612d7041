from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0006_evaluations")]

    operations = [
        migrations.AddField(
            model_name="datasetedit",
            name="state",
            field=models.JSONField(
                default=dict,
                help_text="{was: the version's sums before, doing, cursor, record}",
            ),
        ),
        migrations.AlterField(
            model_name="datasetedit",
            name="verb",
            field=models.CharField(
                choices=[
                    ("add", "Added"),
                    ("rewrite", "Rewrote"),
                    ("remove", "Removed"),
                    ("mask", "Masked private data"),
                    ("deduplicate", "Removed duplicates"),
                    ("split", "Split"),
                    ("relabel", "Gave another label"),
                ],
                help_text="What was done",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="editedexample",
            name="record",
            field=models.JSONField(
                help_text="As it was; empty where only its part changed", null=True
            ),
        ),
    ]
