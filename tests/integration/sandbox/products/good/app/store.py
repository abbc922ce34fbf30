"""Rows in SQLite."""

import sqlite3
import threading
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS books (
    id INTEGER PRIMARY KEY, title TEXT NOT NULL, isbn TEXT NOT NULL UNIQUE, pages INTEGER,
    author_id INTEGER NOT NULL REFERENCES authors(id), status TEXT NOT NULL DEFAULT 'available'
);
"""
QUERIES = {
    "list_authors": "SELECT * FROM authors ORDER BY id",
    "get_author": "SELECT * FROM authors WHERE id = ?",
    "add_author": "INSERT INTO authors (name) VALUES (:name)",
    "delete_author": "DELETE FROM authors WHERE id = ?",
    "list_books": "SELECT * FROM books ORDER BY id",
    "get_book": "SELECT * FROM books WHERE id = ?",
    "add_book": "INSERT INTO books (title, isbn, pages, author_id) VALUES (:title, :isbn, :pages, :author_id)",
    "replace_book": "UPDATE books SET title = :title, isbn = :isbn, pages = :pages, author_id = :author_id WHERE id = :id",
    "set_status": "UPDATE books SET status = :status WHERE id = :id",
    "delete_book": "DELETE FROM books WHERE id = ?",
}


class Conflict(Exception):
    """The database refused."""


class Store:
    """One connection behind a lock."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(folder / "library.db", check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.executescript(SCHEMA)

    def rows(self, query: str, values: object = ()) -> list[dict]:
        """Return rows."""
        with self._lock:
            return [dict(row) for row in self._connection.execute(QUERIES[query], values)]

    def change(self, query: str, values: object) -> int:
        """Change rows; return the id of a new one."""
        with self._lock, self._connection:
            try:
                return self._connection.execute(QUERIES[query], values).lastrowid or 0
            except sqlite3.IntegrityError as error:
                raise Conflict(str(error)) from error

    def close(self) -> None:
        """Close."""
        self._connection.close()
