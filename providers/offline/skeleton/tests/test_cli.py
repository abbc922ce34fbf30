"""The command line."""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from app.__main__ import main
from app.models import ENTITIES
from app.schema import Entity
from app.validation import check_value
from tests.support import is_alone, sample_value


class CommandTest(unittest.TestCase):
    """Each command in process, with its output and exit code."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_command(self, *words: str, **settings: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        environment = {**os.environ, "DATA_DIR": str(self.folder), "LOG_LEVEL": "ERROR", **settings}
        with (
            mock.patch.dict(os.environ, environment, clear=True),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                code = main(words)
            except SystemExit as stop:
                code = int(stop.code or 0)
        return code, out.getvalue(), err.getvalue()

    def words(self, entity: Entity) -> list[str]:
        fields = [field for field in entity.fields if field.type != "reference"]
        values = {
            field.name: sample_value(field, 1) for field in fields if not check_value(field, sample_value(field, 1))
        }
        return [f"{name}={str(value).lower() if value in (True, False) else value}" for name, value in values.items()]

    def test_check(self) -> None:
        code, out, _err = self.run_command("check")
        self.assertEqual((code, out[:2]), (0, "ok"))

    def test_add_and_list_every_independent_entity(self) -> None:
        for entity in ENTITIES:
            if not is_alone(entity):
                continue
            code, out, err = self.run_command("add", entity.collection, *self.words(entity))
            self.assertEqual(code, 0, err)
            record = json.loads(out)
            self.assertEqual(record["id"], 1)
            code, out, _err = self.run_command("list", entity.collection)
            self.assertEqual((code, [json.loads(line) for line in out.splitlines()]), (0, [record]))
            self.assertEqual(self.run_command("list", entity.collection, "--limit", "0")[0], 1)

    def test_wrong_values_are_refused(self) -> None:
        for entity in ENTITIES:
            for word in ("no-such-field=1", "nothing"):
                code, out, err = self.run_command("add", entity.collection, word)
                self.assertEqual((code, out), (1, ""))
                self.assertIn(word.partition("=")[0], err)

    def test_backup(self) -> None:
        target = self.folder / "copy.db"
        self.assertEqual(self.run_command("backup", str(target))[0], 0)
        self.assertTrue(target.is_file())
        code, _out, err = self.run_command("backup", str(target))
        self.assertEqual(code, 1)
        self.assertIn("exists already", err)

    def test_wrong_use(self) -> None:
        self.assertEqual(self.run_command("list", "no-such-collection")[0], 2)
        self.assertEqual(self.run_command()[0], 2)

    def test_help(self) -> None:
        self.assertEqual(self.run_command("--help")[0], 0)

    def test_wrong_configuration(self) -> None:
        code, _out, err = self.run_command("check", PORT="many")
        self.assertEqual(code, 2)
        self.assertIn("PORT", err)

    def test_unusable_data_directory(self) -> None:
        blocked = self.folder / "file"
        blocked.write_text("no directory")
        self.assertEqual(self.run_command("check", DATA_DIR=str(blocked))[0], 1)

    def test_a_port_in_use(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            code, _out, err = self.run_command("serve", HOST="127.0.0.1", PORT=port)
        self.assertEqual(code, 1)
        self.assertIn(port, err)
