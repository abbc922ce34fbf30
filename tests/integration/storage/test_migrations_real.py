"""Migrations on a real server: up, down and up again; equal to the models; safe when two processes start at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

import storage.migrate
from botarmy.errors import InputError, StorageError, Unavailable
from storage.address import sqlalchemy_url
from storage.migrate import HEAD, current, downgrade, upgrade
from storage.tables import Table


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return {row[0] for row in rows} - {"alembic_version"}


def functions(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute("SELECT proname FROM pg_proc WHERE proname LIKE 'botarmy%'")}


def test_up_down_up(empty_url: str) -> None:
    assert current(empty_url) is None
    upgrade(empty_url)
    assert current(empty_url) == HEAD
    assert tables(empty_url) == set(Table.metadata.tables)
    downgrade(empty_url, "base")
    assert current(empty_url) is None
    assert tables(empty_url) == set()
    assert functions(empty_url) == set()
    upgrade(empty_url, "0001")
    assert current(empty_url) == "0001"
    upgrade(empty_url)
    assert current(empty_url) == HEAD
    assert functions(empty_url) == {"botarmy_never", "botarmy_only_purge", "botarmy_decided_once"}


def test_models_equal_migrations(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        differences = compare_metadata(context, Table.metadata)
    engine.dispose()
    assert differences == []


def test_check_constraints_equal_the_models(database_url: str) -> None:
    """compare_metadata does not look at CHECK constraints: have Postgres print both."""
    query = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0"
    with psycopg.connect(database_url) as connection:
        migrated = dict(connection.execute(query).fetchall())
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA model")
        connection.exec_driver_sql("SET search_path TO model")
        Table.metadata.create_all(connection)
        modelled = dict(
            tuple(row) for row in connection.exec_driver_sql(query + " AND connamespace = 'model'::regnamespace")
        )
    engine.dispose()
    assert modelled == migrated
    assert len(modelled) > 15


def test_head_is_the_newest_file() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(storage.migrate.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_the_plans_indexes_exist(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'").fetchall()
    definitions = [row[0] for row in rows]
    for table, columns in {
        "tasks": "(project_id, agent_type, status)",
        "context_artifacts": "(project_id, artifact_type)",
        "hitl_requests": "(project_id, status)",
        "workflow_executions": "(project_id, status)",
        "projects": "(created_at)",
    }.items():
        assert any(f"public.{table} " in line and line.endswith(columns) for line in definitions), table


def test_many_upgrades_at_once(empty_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, [empty_url] * 4))
    assert current(empty_url) == HEAD


def test_unknown_revision_is_an_input_error(database_url: str) -> None:
    with pytest.raises(InputError, match="no schema revision 'nonsense'"):
        downgrade(database_url, "nonsense")


def test_a_newer_schema_is_refused(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StorageError, match="has schema 9999"):
        upgrade(database_url)


def test_no_server_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        current("postgresql://nobody@127.0.0.1:1/botarmy")
