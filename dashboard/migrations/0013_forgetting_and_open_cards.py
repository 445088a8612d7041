from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0012_usage_and_seen_places"),
    ]

    operations = [
        migrations.AddField(
            model_name="conversation",
            name="forgotten_before",
            field=models.BigIntegerField(
                default=0,
                help_text="No model reads messages with lower ids again; they stay in the log",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="card_is_open",
            field=models.BooleanField(
                default=False, help_text="Whether the card still asks for a decision"
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="told_state",
            field=models.CharField(
                blank=True,
                help_text="Which decision its author was last told of",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="correction",
            name="told_at",
            field=models.DateTimeField(
                help_text="When the old answer on Discord was mended, and its author told; "
                "empty again when it changes",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="correction",
            index=models.Index(
                condition=models.Q(("message__isnull", False), ("told_at__isnull", True)),
                fields=["id"],
                name="correction_untold",
            ),
        ),
        migrations.AddIndex(
            model_name="correction",
            index=models.Index(
                condition=models.Q(("card_is_open", True)),
                fields=["id"],
                name="correction_open_card",
            ),
        ),
    ]
