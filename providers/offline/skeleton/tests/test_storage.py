"""The database file itself."""

from __future__ import annotations

import sqlite3
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.errors import Conflict, StorageError
from app.schema import Entity, Field, State, Transition
from app.storage import Store

COIN = Entity(
    "coin",
    "coins",
    (
        Field("mark", "string", required=True, unique=True, max_length=8),
        Field('say "cheese"', "integer", minimum=1, values=(1, 2)),
    ),
    State("state", "new", ("new", "worn"), (Transition("wear", ("new",), "worn"),)),
)


class FolderCase(unittest.TestCase):
    """A folder for each test."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "deep" / "app.db"

    def open(self, *entities: Entity) -> Store:
        store = Store(self.path, entities or (COIN,))
        self.addCleanup(store.close)
        return store


class StoreTest(FolderCase):
    """What must hold whoever writes the file."""

    def test_records_survive_a_restart(self) -> None:
        store = self.open()
        record = store.add(COIN, {"mark": "a", 'say "cheese"': 2})
        store.close()
        self.assertEqual(self.open().get(COIN, record["id"]), record)

    def test_the_tables_carry_the_rules(self) -> None:
        self.open().close()
        connection = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(connection.close)
        connection.execute("INSERT INTO coins (mark) VALUES ('a')")
        for mark, number, state in (("a", 1, "new"), (None, 1, "new"), ("123456789", 1, "new"), ("b", 0, "new")):
            self.refused(connection, mark, number, state)
        self.refused(connection, "b", 3, "new")
        self.refused(connection, "b", 1, "lost")

    def refused(self, connection: sqlite3.Connection, *values: object) -> None:
        with self.assertRaises(sqlite3.IntegrityError):
            connection.execute('INSERT INTO coins (mark, "say ""cheese""", state) VALUES (?, ?, ?)', values)

    def test_a_unique_value_is_given_once_whatever_the_threads(self) -> None:
        store = self.open()

        def add(_turn: int) -> bool:
            try:
                store.add(COIN, {"mark": "same", 'say "cheese"': None})
            except Conflict:
                return False
            return True

        with ThreadPoolExecutor(8) as threads:
            self.assertEqual(sum(threads.map(add, range(40))), 1)
        self.assertEqual(store.find(COIN, {}, 10, 0)[1], 1)

    def test_a_file_that_is_no_database_is_refused(self) -> None:
        self.path.parent.mkdir()
        self.path.write_bytes(b"no database at all, but long enough to be read as one" * 40)
        with self.assertRaises(StorageError):
            Store(self.path, (COIN,))

    def test_a_directory_that_cannot_be_made_is_refused(self) -> None:
        self.path.parent.write_text("a file where the directory should be")
        with self.assertRaises(StorageError):
            Store(self.path, (COIN,))

    def test_a_copy_holds_the_records(self) -> None:
        store = self.open()
        record = store.add(COIN, {"mark": "a", 'say "cheese"': None})
        target = self.path.with_name("copy.db")
        store.copy_to(target)
        copy = Store(target, (COIN,))
        self.addCleanup(copy.close)
        self.assertEqual(copy.get(COIN, record["id"]), record)
        with self.assertRaisesRegex(StorageError, "exists already"):
            store.copy_to(target)

    def test_sound_data_have_no_problems(self) -> None:
        self.assertEqual(self.open().check(), [])

    def test_an_entity_without_fields_is_stored(self) -> None:
        bare = Entity("tick", "ticks", ())
        store = self.open(bare)
        self.assertEqual(store.add(bare, {}), {"id": 1})
        self.assertEqual(store.replace(bare, 1, {}), {"id": 1})


class MigrationTest(FolderCase):
    """A file that an earlier version of the model has written."""

    def reopen(self, *fields: Field, others: tuple[Entity, ...] = ()) -> tuple[Store, Entity]:
        changed = Entity("coin", "coins", fields, COIN.state)
        return self.open(changed, *others), changed

    def fill(self, *values: tuple[str, int | None]) -> None:
        store = self.open()
        for mark, number in values:
            store.add(COIN, {"mark": mark, 'say "cheese"': number})
        store.close()

    def test_new_rules_and_columns_keep_the_records(self) -> None:
        self.fill(("a", None), ("b", None))
        with self.assertLogs("app", "WARNING"):
            store, coin = self.reopen(Field("mark", "string", max_length=3), Field("year", "integer"))
        records, total = store.find(coin, {}, 10, 0)
        self.assertEqual((total, records[0]), (2, {"id": 1, "mark": "a", "year": None, "state": "new"}))
        self.assertEqual(store.check(), [])

    def test_numbers_of_deleted_records_are_not_given_again(self) -> None:
        self.fill(("a", None), ("b", None))
        store = self.open()
        store.delete(COIN, 2)
        store.close()
        with self.assertLogs("app", "WARNING"):
            store, coin = self.reopen(Field("mark", "string"))
        self.assertEqual(store.add(coin, {"mark": "c"})["id"], 3)

    def test_a_record_that_breaks_a_new_rule_stops_the_change(self) -> None:
        self.fill(("long", None))
        with self.assertRaisesRegex(StorageError, "does not fit"):
            self.reopen(Field("mark", "string", max_length=3))
        self.assertEqual(self.open().get(COIN, 1)["mark"], "long")

    def test_a_column_with_values_is_not_dropped(self) -> None:
        self.fill(("a", 1))
        with self.assertRaisesRegex(StorageError, "cheese"):
            self.reopen(Field("mark", "string"))
        self.assertEqual(self.open().get(COIN, 1)['say "cheese"'], 1)

    def test_references_outlive_a_rebuilt_table(self) -> None:
        purse = Entity("purse", "purses", (Field("coin_id", "reference", required=True, references="coin"),))
        store = self.open(COIN, purse)
        store.add(COIN, {"mark": "a", 'say "cheese"': None})
        store.add(purse, {"coin_id": 1})
        store.close()
        with self.assertLogs("app", "WARNING"):
            store, coin = self.reopen(Field("mark", "string"), others=(purse,))
        with self.assertRaises(Conflict):
            store.delete(coin, 1)
        self.assertEqual(store.check(), [])

    def test_a_missing_record_stops_the_change(self) -> None:
        purse = Entity("purse", "purses", (Field("coin_id", "reference", references="coin"),))
        self.open(COIN, purse).close()
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.execute("INSERT INTO purses (coin_id) VALUES (7)")
        connection.close()
        with self.assertRaisesRegex(StorageError, "does not exist"):
            self.reopen(Field("mark", "string"), others=(purse,))
