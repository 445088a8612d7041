"""An index of the words of all examples. `services.searching` alone knows its shape."""

from typing import Any

from django.db import migrations

# No content of its own: the words lie in the rows already, and the service that changes
# a row tells the index. No positions either, which halves it; phrases are looked for in
# the rows that have all their words. Beginnings of two and three letters are indexed too:
# any other costs a merge of all words that begin so, 300 ms among a million rows.
SQLITE = """
CREATE VIRTUAL TABLE dashboard_example_words USING fts5(
    words, content='', detail=none, prefix='2 3', tokenize="unicode61 remove_diacritics 2"
)
"""
# A tsvector holds less than 1 MiB, so that the words of a giant row are cut.
POSTGRESQL = """
CREATE INDEX dashboard_example_words ON dashboard_example USING gin (
    to_tsvector('simple', left(replace(record::text, '\\n', ' '), 200000))
)
"""


def make(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(SQLITE)
    elif schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL)


def drop(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE dashboard_example_words")
    elif schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX dashboard_example_words")


class Migration(migrations.Migration):
    dependencies = [("dashboard", "0004_example_source_is_provenance")]

    operations = [migrations.RunPython(make, drop)]
