"""A small HTTP service over SQLite; see README.md."""
