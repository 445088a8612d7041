"""One row into its table, by a statement that is written once.

Django writes its INSERT anew for each row, which takes longer than SQLite
takes to carry it out; a message on Discord makes four rows.
"""

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models

from dashboard.services.statements import Statement

# Of these a row's own value is what the database takes.
_AS_IT_IS = (
    models.BigIntegerField,
    models.CharField,
    models.ForeignKey,
    models.IntegerField,
    models.TextField,
)


class Insert:
    """The INSERT of one model. Sends no signals and fills in the new row's id.

    unless_taken: the unique field whose value, if another row has it already,
        lets the insert do nothing.
    """

    def __init__(self, model: type[models.Model], *, unless_taken: str = "") -> None:
        meta = model._meta
        fields = [field for field in meta.concrete_fields if not field.primary_key]
        self._as_they_are = [f.attname for f in fields if isinstance(f, _AS_IT_IS)]
        self._prepared = [field for field in fields if not isinstance(field, _AS_IT_IS)]
        names = [f.column for f in fields if isinstance(f, _AS_IT_IS)]
        names += [field.column for field in self._prepared]
        columns = ", ".join(f'"{name}"' for name in names)
        values = ", ".join(["%s"] * len(names))
        conflict = f' ON CONFLICT ("{unless_taken}") DO NOTHING' if unless_taken else ""
        # Names out of the model's own fields; what people said is a parameter.
        self._statement = Statement(
            f'INSERT INTO "{meta.db_table}" ({columns}) VALUES ({values}){conflict} '
            f'RETURNING "{meta.pk.column}"'
        )

    def __call__(self, row: models.Model) -> bool:
        """Store `row`. False when its unique value was taken."""
        # The connection itself: `django.db.connection` looks it up at each of its attributes.
        database = connections[DEFAULT_DB_ALIAS]
        # Of a new row all is there; each attribute of a relation would be looked up by Python.
        fields = row.__dict__
        values: list[Any] = [fields[name] for name in self._as_they_are]
        for field in self._prepared:
            value = field.pre_save(row, add=True)
            if value == [] and database.vendor == "sqlite" and isinstance(field, models.JSONField):
                values.append("[]")  # as most lists are
            elif value is not None:
                values.append(field.get_db_prep_save(value, connection=database))
            else:
                values.append(None)
        made = self._statement.rows(*values)
        if not made:
            return False
        row.pk = made[0][0]
        row._state.adding = False
        row._state.db = database.alias
        return True
