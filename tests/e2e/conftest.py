"""The product's homes, and the names that end-to-end tests import."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.homes import shared_product, shared_services
from tests.factories.product import ROOT, Product, wait_for
from tests.factories.sharing import a_home

__all__ = ["ROOT", "Product", "wait_for"]


@pytest.fixture(scope="package")
def product(common: Path) -> Iterator[Product]:
    """A home whose Prefect server is kept up between commands, shared by all tests that do not harm it."""
    with shared_product(common) as made:
        yield made


@pytest.fixture(scope="package")
def services(common: Path) -> Iterator[Product]:
    """A home with everything that `botarmy up` starts, shared by all tests that do not harm it."""
    with shared_services(common) as made:
        yield made


@pytest.fixture
def bare_product() -> Iterator[Product]:
    """A home in which nothing runs: the command starts Postgres and the server by itself."""
    with a_home() as home:
        made = Product(home)
        yield made
        made.run("down")
