"""What was decided before the bot told of it stays as it is: nobody is told of old news."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F
from django.utils.timezone import now


def count_as_told(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    corrections = apps.get_model("dashboard", "Correction").objects.using(
        schema_editor.connection.alias
    )
    corrections.exclude(state="proposed").update(told_at=now(), told_state=F("state"))


class Migration(migrations.Migration):
    dependencies = [
        ("dashboard", "0013_forgetting_and_open_cards"),
    ]

    operations = [migrations.RunPython(count_as_told, migrations.RunPython.noop)]
