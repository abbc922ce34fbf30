"""The product with its services, started once for all tests that use it (end-to-end and in the browser)."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.product import Product


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """A home without services; Postgres is started by the first command and stopped at the end."""
    with _home() as home:
        made = Product(home)
        yield made
        made.run("down")


@contextlib.contextmanager
def _home() -> Iterator[Path]:
    """A folder of its own: pytest closes its temporary folders to other users, and Postgres runs as one of them."""
    home = Path(tempfile.mkdtemp(prefix="botarmy-e2e-"))
    home.chmod(0o755)
    yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def services() -> Iterator[Product]:
    """A home with everything that `botarmy up` starts."""
    with _home() as home:
        made = Product(home, BOTARMY_RECOVERY_WINDOW_S="5")
        done = made.run("up", "--detach")
        assert done.returncode == 0, done.stdout + done.stderr
        yield made
        made.run("down")
