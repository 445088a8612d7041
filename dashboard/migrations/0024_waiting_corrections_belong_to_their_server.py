"""What waits for review counts on the server where the answer was given, as new ones do."""

from typing import Any

from django.db import migrations
from django.db.models import OuterRef, Subquery


def keep_at_home(apps: Any, schema_editor: Any) -> None:
    corrections = apps.get_model("dashboard", "Correction").objects
    messages = apps.get_model("dashboard", "Message").objects
    home = messages.filter(pk=OuterRef("message")).values("conversation__discord_channel__guild")
    # What is in force stays as it was decided.
    corrections.filter(state="proposed", guild=None, message__isnull=False).update(
        guild=Subquery(home[:1])
    )


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0023_reviews_votes_and_steps")]
    operations = [migrations.RunPython(keep_at_home, migrations.RunPython.noop)]
