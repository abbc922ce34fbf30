"""The product with its services, started once for all tests that use it (end-to-end and in the browser)."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.server import PrefectServer
from storage.embedded import start_embedded
from tests.factories.product import Product


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """A home whose Prefect server is kept up between commands: each then starts in a second and not in six."""
    with a_home() as home:
        made = Product(home)
        postgres = asyncio.run(start_embedded(home))
        with PrefectServer(home).use(postgres.prefect_url):
            yield made
        made.run("down")


@pytest.fixture
def bare_product() -> Iterator[Product]:
    """A home in which nothing runs: the command starts Postgres and the server by itself."""
    with a_home() as home:
        made = Product(home)
        yield made
        made.run("down")


@contextlib.contextmanager
def a_home() -> Iterator[Path]:
    """A folder of its own: pytest closes its temporary folders to other users, and Postgres runs as one of them."""
    home = Path(tempfile.mkdtemp(prefix="botarmy-e2e-"))
    home.chmod(0o755)
    yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def services() -> Iterator[Product]:
    """A home with everything that `botarmy up` starts."""
    with a_home() as home:
        made = Product(home)
        done = made.run("up", "--detach")
        assert done.returncode == 0, done.stdout + done.stderr
        yield made
        made.run("down")
