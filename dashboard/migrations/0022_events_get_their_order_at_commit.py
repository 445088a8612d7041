"""On PostgreSQL an event's id is given when its transaction commits. See `services.outbox`."""

from typing import Any

from django.db import migrations

# Two transactions draw ids in one order and may commit in another; a reader that has seen
# 8 would never look for a 7 that commits later. So ids are drawn under a lock that is held
# while committing, when no row is waited for any more. Taken earlier, with the event, it
# met row locks the other way round: a bot that had published waited for a row of the
# dashboard's, which waited to publish.
IN_ORDER = """
CREATE FUNCTION dashboard_outbox_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7401523817);  -- any number that is ours alone
    UPDATE dashboard_outboxevent
        SET id = nextval(pg_get_serial_sequence('dashboard_outboxevent', 'id'))
        WHERE id = NEW.id;
    PERFORM pg_notify('trainerbot_outbox', '');
    RETURN NULL;
END
$$
"""
AT_COMMIT = """
CREATE CONSTRAINT TRIGGER dashboard_outbox_at_commit AFTER INSERT ON dashboard_outboxevent
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dashboard_outbox_in_order()
"""


def make(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(IN_ORDER)
        schema_editor.execute(AT_COMMIT)


def drop(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER dashboard_outbox_at_commit ON dashboard_outboxevent")
        schema_editor.execute("DROP FUNCTION dashboard_outbox_in_order()")


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0021_corrections_of_places_and_meanings")]

    operations = [migrations.RunPython(make, drop)]
