"""The tables of the model: how they are made, and how a file made for an earlier model is brought up to date.

A table whose definition has changed is built anew and filled with the values of the columns that both have. A column
that holds values but is gone from the model, or a stored record that breaks a new rule, stops the change: nothing is
lost without somebody deciding so.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping

from app.errors import StorageError
from app.schema import Entity, Field

COLUMN_TYPES = {"integer": "INTEGER", "number": "REAL", "boolean": "INTEGER", "reference": "INTEGER"}


def prepare_tables(connection: sqlite3.Connection, entities: Mapping[str, Entity]) -> list[str]:
    """Create or rebuild tables inside the open transaction; returns the names of those rebuilt.

    Raises:
        StorageError: the stored records do not fit the model; nothing was changed once the caller rolls back.
    """
    rebuilt = []
    for entity in entities.values():
        wanted = table_of(entity, entities)
        found = _definition(connection, entity.table)
        if found is None:
            connection.execute(wanted)
        elif found != wanted:
            _rebuild(connection, entity, entities)
            rebuilt.append(entity.table)
        for field in entity.fields:
            if field.type == "reference" and not field.unique:
                connection.execute(_index_of(entity, field))
    if rebuilt and connection.execute("PRAGMA foreign_key_check").fetchone():
        raise StorageError("a stored record refers to a record that does not exist; repair it or restore a backup")
    return rebuilt


def _index_of(entity: Entity, field: Field) -> str:
    name = quote(f"{entity.table} by {field.name}")
    return sql("CREATE INDEX IF NOT EXISTS", name, "ON", quote(entity.table), "(", quote(field.name), ")")


def _definition(connection: sqlite3.Connection, table: str) -> str | None:
    statement = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
    row = connection.execute(statement, (table,)).fetchone()
    return None if row is None else str(row[0])


def _rebuild(connection: sqlite3.Connection, entity: Entity, entities: Mapping[str, Entity]) -> None:
    old = _columns(connection, entity.table)
    new = ["id", *(field.name for field in entity.fields), *([entity.state.field] if entity.state else [])]
    _refuse_loss(connection, entity.table, [name for name in old if name not in new])
    waiting = f"new {entity.table}"
    connection.execute(table_of(entity, entities, name=waiting))
    columns = ", ".join(quote(name) for name in new if name in old)
    target, source = quote(waiting), quote(entity.table)
    try:
        connection.execute(sql("INSERT INTO", target, "(", columns, ") SELECT", columns, "FROM", source))
    except sqlite3.IntegrityError as error:
        raise StorageError(
            f"table {entity.table} was made for another version of the model, and a record in it does not fit this "
            f"one ({error}); mend the record with that version first, or start with another DATA_DIR"
        ) from error
    # Numbers of deleted records must not be given again.
    connection.execute(
        "UPDATE sqlite_sequence SET seq = (SELECT max(seq) FROM sqlite_sequence WHERE name IN (?, ?)) WHERE name = ?",
        (entity.table, waiting, waiting),
    )
    connection.execute(sql("DROP TABLE", source))
    connection.execute(sql("ALTER TABLE", target, "RENAME TO", source))


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [str(row[0]) for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]


def _refuse_loss(connection: sqlite3.Connection, table: str, gone: list[str]) -> None:
    for name in gone:
        condition = sql("WHERE", quote(name), "IS NOT NULL LIMIT 1")
        if connection.execute(sql("SELECT 1 FROM", quote(table), condition)).fetchone():
            raise StorageError(
                f"table {table} was made for another version of the model: its column {name} holds values that this "
                "version would lose; empty the column with that version first, or start with another DATA_DIR"
            )


def table_of(entity: Entity, by_name: Mapping[str, Entity], *, name: str = "") -> str:
    """Return the statement that creates the entity's table with all its rules."""
    columns = ["id INTEGER PRIMARY KEY AUTOINCREMENT"]
    columns += [_column(field, by_name) for field in entity.fields]
    if entity.state:
        state = quote(entity.state.field)
        states = ", ".join(literal(value) for value in entity.state.states)
        columns.append(f"{state} TEXT NOT NULL DEFAULT {literal(entity.state.initial)} CHECK ({state} IN ({states}))")
    return f"CREATE TABLE {quote(name or entity.table)} (\n  " + ",\n  ".join(columns) + "\n)"


def _column(field: Field, by_name: Mapping[str, Entity]) -> str:
    words = [quote(field.name), COLUMN_TYPES.get(field.type, "TEXT")]
    if field.required:
        words.append("NOT NULL")
    if field.unique:
        words.append("UNIQUE")
    words += [f"CHECK ({condition})" for condition in _conditions(field)]
    if field.type == "reference":
        words.append(f"REFERENCES {quote(by_name[field.references].table)} (id) ON DELETE RESTRICT")
    return " ".join(words)


def _conditions(field: Field) -> Iterator[str]:
    name = quote(field.name)
    bounds = (
        (field.minimum, f"{name} >= {field.minimum}"),
        (field.maximum, f"{name} <= {field.maximum}"),
        (field.min_length, f"length({name}) >= {field.min_length}"),
        (field.max_length, f"length({name}) <= {field.max_length}"),
    )
    yield from (condition for bound, condition in bounds if bound is not None)
    if field.values:
        yield f"{name} IN ({', '.join(literal(value) for value in field.values)})"
    if field.type == "boolean":
        yield f"{name} IN (0, 1)"


def sql(*words: str) -> str:
    """Join the words of a statement; names go through quote() first, values never go in here."""
    return " ".join(words)


def quote(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | float) -> str:
    """Write a value for a table definition, where values cannot be bound."""
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
