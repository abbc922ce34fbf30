"""One test per rule."""

import unittest

from tests_acceptance.client import ask


class RuleTest(unittest.TestCase):
    def book(self, isbn, **changes):
        _, author = ask("POST", "/authors", {"name": "Ende"})
        return ask("POST", "/books", {"title": "Momo", "isbn": isbn, "author_id": author["id"], **changes})

    def test_title_is_required(self):
        self.assertEqual(self.book("1000000000000", title="")[0], 422)

    def test_isbn_is_unique(self):
        self.assertEqual(self.book("1000000000001")[0], 201)
        self.assertEqual(self.book("1000000000001")[0], 409)

    def test_only_available_books_are_lent(self):
        _, book = self.book("1000000000002")
        self.assertEqual(ask("POST", f"/books/{book['id']}/lend")[0], 200)
        self.assertEqual(ask("POST", f"/books/{book['id']}/lend")[0], 409)
