"""One row into its table, by a statement that is written once.

Django writes its INSERT anew for each row, which takes longer than SQLite
takes to carry it out; a message on Discord makes four rows.
"""

from typing import Any

from django.db import connection, models


class Insert:
    """The INSERT of one model. Sends no signals and fills in the new row's id.

    unless_taken: the unique field whose value, if another row has it already,
        lets the insert do nothing.
    """

    def __init__(self, model: type[models.Model], *, unless_taken: str = "") -> None:
        meta = model._meta
        self._fields = [field for field in meta.concrete_fields if not field.primary_key]
        columns = ", ".join(f'"{field.column}"' for field in self._fields)
        values = ", ".join(["%s"] * len(self._fields))
        taken = f'"{meta.get_field(unless_taken).column}"' if unless_taken else ""  # type: ignore[union-attr]
        conflict = f" ON CONFLICT ({taken}) DO NOTHING" if taken else ""
        assert meta.pk is not None
        # Names out of the model's own fields; what people said is a parameter.
        self._sql = (
            f'INSERT INTO "{meta.db_table}" ({columns}) VALUES ({values}){conflict} '
            f'RETURNING "{meta.pk.column}"'
        )

    def __call__(self, row: models.Model) -> bool:
        """Store `row`. False when its unique value was taken."""
        values: list[Any] = [
            field.get_db_prep_save(field.pre_save(row, add=True), connection=connection)
            for field in self._fields
        ]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, values)
            made = cursor.fetchone()
        if made is None:
            return False
        row.pk = made[0]
        row._state.adding = False
        row._state.db = connection.alias
        return True
