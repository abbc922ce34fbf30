"""The rules, without HTTP."""

import tempfile
import unittest
from pathlib import Path

from app.service import Library, Refused
from app.store import Conflict, Store

BOOK = {"title": "Momo", "isbn": "9783522177504", "pages": 304}


class LibraryTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        store = Store(Path(folder.name))
        self.addCleanup(store.close)
        self.library = Library(store)
        self.author = self.library.add("author", {"name": "Michael Ende"})["id"]

    def book(self, **changes):
        return self.library.add("book", {**BOOK, "author_id": self.author, **changes})

    def test_a_new_book_is_available(self):
        self.assertEqual(self.book()["status"], "available")

    def test_isbn_is_unique(self):
        self.book()
        with self.assertRaises(Conflict):
            self.book()

    def test_faults_name_their_fields(self):
        for field, value in (("title", ""), ("isbn", "1"), ("pages", 0), ("author_id", "x")):
            with self.subTest(field), self.assertRaises(Refused) as caught:
                self.book(**{field: value})
            self.assertIn(field, caught.exception.fields)

    def test_lending(self):
        number = self.book()["id"]
        self.assertEqual(self.library.act(number, "lend")["status"], "lent")
        with self.assertRaises(Refused):
            self.library.act(number, "lend")
        self.assertEqual(self.library.act(number, "return")["status"], "available")

    def test_replace_and_delete(self):
        number = self.book()["id"]
        self.assertEqual(
            self.library.replace(number, {**BOOK, "title": "Jim", "author_id": self.author})["title"], "Jim"
        )
        self.library.delete("book", number)
        with self.assertRaises(Refused):
            self.library.one("book", number)

    def test_an_author_needs_a_name(self):
        with self.assertRaises(Refused):
            self.library.add("author", {})
