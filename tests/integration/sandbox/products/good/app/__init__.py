"""A small library: authors and their books, which are lent and returned."""
