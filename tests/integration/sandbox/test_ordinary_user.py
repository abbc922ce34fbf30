"""The same walls where no root starts them, and where files are for their owner alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.bubblewrap import candidates
from sandbox.interpreter import PACKAGE
from sandbox.runner import Sandbox

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import asyncio, json, os, sys
from botarmy.checks import CheckName, CheckRequest, FileText
from sandbox.checks import SandboxChecks
from sandbox.runner import Sandbox

given = json.load(sys.stdin)
sandbox = Sandbox()
requests = tuple(CheckRequest(name=name, context=given["contexts"].get(name, {})) for name in CheckName)
files = tuple(FileText(**file) for file in given["files"])
found = asyncio.run(SandboxChecks(sandbox)(files, requests))
print(json.dumps({
    "uid": os.getuid(), "isolation": sandbox.isolation(),
    "outcomes": {one.check: one.outcome for one in found}, "reasons": [reason for one in found for reason in one.reasons],
}))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="already an ordinary user: the other tests show it")
def test_all_checks_pass_for_an_ordinary_user(make_product: Any, contexts: Any) -> None:
    """Become a user without rights in a mount namespace in which /root can be entered (the interpreter may lie there)."""
    drop = str(PACKAGE / "launch" / "drop.py")
    home = Path(sys.base_prefix)
    words = [str(next(candidates())), "--dev-bind", "/", "/", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    hidden = [path for path in (home, ROOT, Path(sys.prefix)) if path.is_relative_to("/root")]
    if hidden:
        words += ["--perms", "0755", "--tmpfs", "/root"]
    for path in hidden:
        for part in reversed(path.relative_to("/root").parents[:-1]):
            words += ["--perms", "0755", "--dir", f"/root/{part}"]
        words += ["--ro-bind", str(path), str(path)]
    words += ["--chdir", str(ROOT), "--", sys.executable, "-I", "-S", drop, "23456", sys.executable, "-c", SCRIPT]
    given = {"files": [file.model_dump() for file in make_product()], "contexts": contexts}
    done = subprocess.run(
        words,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["uid"] == 23456
    assert found["isolation"].startswith("bubblewrap")
    assert found["reasons"] == []
    assert set(found["outcomes"].values()) == {"passed"}


async def test_a_tree_for_its_owner_alone(sandbox: Sandbox, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "inner").mkdir(parents=True)
    (tree / "inner" / "main.py").write_text("print('ran')\n")
    for path in (tree / "inner" / "main.py", tree / "inner", tree):
        path.chmod(0o700 if path.is_dir() else 0o600)
    execution = await sandbox.run(tree, ["python", "inner/main.py"])
    assert execution.stdout == "ran\n"
    assert tree.stat().st_mode & 0o777 == 0o700


async def test_a_narrow_umask(check: Any) -> None:
    before = os.umask(0o077)
    try:
        evidence = await check("health")
    finally:
        os.umask(before)
    assert evidence.outcome == "passed"
