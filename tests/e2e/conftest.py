"""The product's fixtures stand in tests/conftest.py; the names that end-to-end tests import."""

from tests.factories.product import ROOT, Product, wait_for

__all__ = ["ROOT", "Product", "wait_for"]
