"""Postgres: tables, one store per noun, unit of work, migrations, the embedded server."""
