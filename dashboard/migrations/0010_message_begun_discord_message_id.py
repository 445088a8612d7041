from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0009_places_and_prices"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="begun_discord_message_id",
            field=models.BigIntegerField(
                help_text="Of a question: Discord's id of the message that began to answer it",
                null=True,
            ),
        ),
    ]
