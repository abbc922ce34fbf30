"""The configuration."""

from __future__ import annotations

import unittest
from pathlib import Path

from app.config import Config, read_config
from app.errors import ConfigError


class ConfigTest(unittest.TestCase):
    """Every variable, right and wrong."""

    def test_defaults(self) -> None:
        self.assertEqual(read_config({"PORT": "", "HOST": " "}), Config("127.0.0.1", 8080, Path("data"), "INFO"))

    def test_given_values(self) -> None:
        given = {"HOST": "::1", "PORT": "0", "DATA_DIR": "/x", "LOG_LEVEL": "debug"}
        self.assertEqual(read_config(given), Config("::1", 0, Path("/x"), "DEBUG"))
        self.assertEqual(read_config(given).database, Path("/x/app.db"))

    def test_wrong_values_are_named(self) -> None:
        wrong = {"PORT": ("x", "-1", "65536", "1e3", "²"), "HOST": ("a b", "http://x"), "LOG_LEVEL": ("LOUD",)}
        for name, values in wrong.items():
            for value in values:
                with self.assertRaisesRegex(ConfigError, name):
                    read_config({name: value})
