"""Postgres: tables, one store per noun, the unit of work, migrations, the embedded server.

Importing this package imports nothing heavy: SQLAlchemy is loaded by the first unit of work, Alembic by a migration,
the embedded server's parts when it has to be started. Reads (`Database.read`) need psycopg alone.
"""
