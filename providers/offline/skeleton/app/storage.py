"""The records in SQLite.

The tables carry the same rules as app/validation.py, so that no other writer of the file can break them either.
Statements are joined only from the quoted names of app/models.py; values are always bound. One connection behind a
lock serves all threads, and other processes wait for it by the busy timeout.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from app.errors import Conflict, Invalid, NotFound, Overloaded, StorageError
from app.log import LOGGER, log
from app.schema import Entity, Field
from app.tables import prepare_tables, quote, sql

BUSY_SECONDS = 10.0


class Store:
    """Reads and writes the records of the given entities."""

    def __init__(self, path: Path, entities: tuple[Entity, ...], *, durable: bool = True) -> None:
        """Open or create the database.

        Args:
            path: the database file.
            entities: what is stored.
            durable: whether a write waits until the disk has it, so that it outlives a power failure.

        Raises:
            StorageError: the file cannot be used, or its records do not fit the model.
        """
        self._by_name = {entity.name: entity for entity in entities}
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"{path} cannot be opened: {error}") from error
        try:
            self._prepare(durable)
        except sqlite3.Error as error:
            self._connection.close()
            raise StorageError(f"{path} cannot be used: {error}") from error
        except StorageError as error:
            self._connection.close()
            raise StorageError(f"{path}: {error}") from error

    def _prepare(self, durable: bool) -> None:
        # The first statement that needs the file fails here when it is no database.
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL" if durable else "PRAGMA synchronous = OFF")
        # A table is rebuilt by dropping it, which only works while nothing watches the references to it.
        self._connection.execute("PRAGMA foreign_keys = OFF")
        with self._transaction():
            rebuilt = prepare_tables(self._connection, self._by_name)
        self._connection.execute("PRAGMA foreign_keys = ON")
        if rebuilt:
            log(logging.WARNING, "tables rebuilt for a new version of the model", tables=rebuilt)

    def close(self) -> None:
        """Close the database; the store cannot be used afterwards."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._use():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk, for one, ends the transaction by itself.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _use(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except (sqlite3.OperationalError, sqlite3.ProgrammingError) as error:
                LOGGER.exception("storage failed")
                raise Overloaded("the storage does not answer; try again later") from error

    def ping(self) -> None:
        """Read from the database file; raises Overloaded when it cannot be read."""
        with self._use():
            self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()

    def copy_to(self, path: Path) -> None:
        """Write a sound copy of the database while the service may go on writing.

        Raises:
            StorageError: the file exists already or cannot be written.
        """
        if path.exists():
            raise StorageError(f"{path} exists already; name a new file")
        try:
            copy = sqlite3.connect(path)
        except sqlite3.Error as error:
            raise StorageError(f"{path} cannot be written: {error}") from error
        with closing(copy), self._lock:
            self._connection.backup(copy)

    def check(self) -> list[str]:
        """Return what is wrong with the stored data; nothing when it is sound."""
        with self._lock:
            damage = [row[0] for row in self._connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
            dangling = [f"{row[0]} {row[1]} refers to a missing record" for row in self._foreign_key_check()]
        return damage + dangling

    def _foreign_key_check(self) -> list[sqlite3.Row]:
        return self._connection.execute("PRAGMA foreign_key_check").fetchall()

    def add(self, entity: Entity, values: Mapping[str, Any]) -> dict[str, Any]:
        """Store a new record and return it."""
        with self._transaction():
            self._refuse_conflicts(entity, values, 0)
            cursor = self._connection.execute(_insert(entity), [values[field.name] for field in entity.fields])
            return self._read(entity, int(cursor.lastrowid or 0))

    def get(self, entity: Entity, record_id: int) -> dict[str, Any]:
        """Return one record; raises NotFound."""
        with self._use():
            return self._read(entity, record_id)

    def find(
        self, entity: Entity, filters: Mapping[str, Any], limit: int, offset: int
    ) -> tuple[list[dict[str, Any]], int]:
        """Return a page of the records that equal the filters, in the order of their ids, and how many there are."""
        where = [f"{quote(name)} = ?" for name in filters]
        condition = sql("WHERE", " AND ".join(where)) if where else ""
        count = sql("SELECT count(*) FROM", quote(entity.table), condition)
        page = sql("SELECT * FROM", quote(entity.table), condition, "ORDER BY id LIMIT ? OFFSET ?")
        with self._use():
            total = self._connection.execute(count, list(filters.values())).fetchone()[0]
            rows = self._connection.execute(page, [*filters.values(), limit, offset]).fetchall()
        return [_record(entity, row) for row in rows], total

    def replace(self, entity: Entity, record_id: int, values: Mapping[str, Any]) -> dict[str, Any]:
        """Replace the fields of a record; its state stays."""
        with self._transaction():
            self._read(entity, record_id)
            self._refuse_conflicts(entity, values, record_id)
            if entity.fields:
                arguments = [values[field.name] for field in entity.fields]
                self._connection.execute(_update(entity), [*arguments, record_id])
            return self._read(entity, record_id)

    def delete(self, entity: Entity, record_id: int) -> None:
        """Delete a record that no other record refers to."""
        statement = sql("DELETE FROM", quote(entity.table), "WHERE id = ?")
        with self._transaction():
            self._read(entity, record_id)
            try:
                self._connection.execute(statement, (record_id,))
            except sqlite3.IntegrityError as error:
                raise Conflict(f"{entity.name} {record_id} is still referred to by other records") from error

    def move(self, entity: Entity, record_id: int, action: str) -> dict[str, Any]:
        """Change the state of a record by a named action; raises Conflict when its state forbids it."""
        steps = entity.state.steps(action) if entity.state else ()
        if entity.state is None or not steps:
            raise NotFound(f"{entity.name} has no action {action}")
        statement = sql("UPDATE", quote(entity.table), "SET", quote(entity.state.field), "= ? WHERE id = ?")
        with self._transaction():
            current = self._read(entity, record_id)[entity.state.field]
            step = next((step for step in steps if not step.from_states or current in step.from_states), None)
            if step is None:
                allowed = ", ".join(state for step in steps for state in step.from_states)
                raise Conflict(f"{action} is possible from: {allowed}; {entity.name} {record_id} is {current}")
            self._connection.execute(statement, (step.to_state, record_id))
            return self._read(entity, record_id)

    def _read(self, entity: Entity, record_id: int) -> dict[str, Any]:
        statement = sql("SELECT * FROM", quote(entity.table), "WHERE id = ?")
        row = self._connection.execute(statement, (record_id,)).fetchone()
        if row is None:
            raise NotFound(f"there is no {entity.name} {record_id}")
        return _record(entity, row)

    def _refuse_conflicts(self, entity: Entity, values: Mapping[str, Any], record_id: int) -> None:
        missing = {
            field.name: "does not exist"
            for field in entity.fields
            if field.type == "reference" and values[field.name] is not None and not self._exists(field, values)
        }
        if missing:
            raise Invalid(f"{entity.name} refers to a record that does not exist", missing)
        taken = {
            field.name: "is already taken"
            for field in entity.fields
            if field.unique and values[field.name] is not None and self._taken(entity, field, values, record_id)
        }
        if taken:
            raise Conflict(f"another {entity.name} has the same {', '.join(taken)}", taken)

    def _exists(self, field: Field, values: Mapping[str, Any]) -> bool:
        target = self._by_name[field.references]
        statement = sql("SELECT 1 FROM", quote(target.table), "WHERE id = ?")
        return self._connection.execute(statement, (values[field.name],)).fetchone() is not None

    def _taken(self, entity: Entity, field: Field, values: Mapping[str, Any], record_id: int) -> bool:
        condition = f"WHERE {quote(field.name)} = ? AND id <> ?"
        statement = sql("SELECT 1 FROM", quote(entity.table), condition)
        return self._connection.execute(statement, (values[field.name], record_id)).fetchone() is not None


def _record(entity: Entity, row: sqlite3.Row) -> dict[str, Any]:
    record: dict[str, Any] = dict(row)
    for field in entity.fields:
        if field.type == "boolean" and record[field.name] is not None:
            record[field.name] = bool(record[field.name])
    return record


def _insert(entity: Entity) -> str:
    table = quote(entity.table)
    if not entity.fields:
        return sql("INSERT INTO", table, "DEFAULT VALUES")
    columns = ", ".join(quote(field.name) for field in entity.fields)
    marks = ", ".join("?" for _ in entity.fields)
    return sql("INSERT INTO", table, "(", columns, ") VALUES (", marks, ")")


def _update(entity: Entity) -> str:
    changes = ", ".join(f"{quote(field.name)} = ?" for field in entity.fields)
    return sql("UPDATE", quote(entity.table), "SET", changes, "WHERE id = ?")
