"""A hand-made product that follows the conventions, and ways to break it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from botarmy.checks import CheckName, CheckRequest, FileText
from botarmy.records import Evidence
from sandbox.checks import SandboxChecks
from sandbox.runner import Execution, Sandbox
from tests.factories.sandboxed import Run

collect_ignore_glob = ["products/*"]
GOOD = Path(__file__).parent / "products" / "good"
START = ["python", "-m", "app", "serve"]
OPENAPI: dict[str, Any] = json.loads((GOOD / "app" / "openapi.json").read_text())
ENVIRONMENTS = [
    {
        "name": "development",
        "variables": {"HOST": "127.0.0.1", "PORT": "8080", "DATA_DIR": "data", "LOG_LEVEL": "DEBUG"},
    },
    {
        "name": "production",
        "variables": {"HOST": "0.0.0.0", "PORT": "80", "DATA_DIR": "/var/lib/app", "LOG_LEVEL": "INFO"},  # noqa: S104
    },
]
SERVED = {"start": START, "health_path": "/health", "openapi": OPENAPI}
CONTEXTS: dict[str, dict[str, Any]] = {
    "tests": {"start": START, "health_path": "/health"},
    "acceptance": {"start": START, "health_path": "/health"},
    "contract": SERVED,
    "health": SERVED,
    "performance": SERVED,
    "config": {"environments": ENVIRONMENTS, "start": START, "health_path": "/health"},
}

Changes = Mapping[str, str | tuple[str, str] | None]
Checked = Callable[..., Awaitable[Evidence]]


def product(changes: Changes | None = None) -> tuple[FileText, ...]:
    """Return the good product with changes: path -> new text, (old, new) within the file, or None to leave it out."""
    files = {
        str(path.relative_to(GOOD)): path.read_text()
        for path in sorted(GOOD.rglob("*"))
        if path.suffix in {".py", ".json"}
    }
    for path, change in (changes or {}).items():
        if change is None:
            del files[path]
        elif isinstance(change, str):
            files[path] = change
        else:
            old, new = change
            assert old in files[path], f"{old!r} is not in {path}"
            files[path] = files[path].replace(old, new)
    return tuple(FileText(path=path, content=text) for path, text in files.items())


@pytest.fixture
def make_product() -> Callable[..., tuple[FileText, ...]]:
    """Return `product`."""
    return product


@pytest.fixture
def contexts() -> dict[str, dict[str, Any]]:
    """Return the context of each check that needs one, for the good product."""
    return CONTEXTS


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    """Return a sandbox with walls; the machine must be able to build them."""
    made = Sandbox()
    assert made.isolation().startswith("bubblewrap"), "bubblewrap does not work here"
    return made


@pytest.fixture
def check(sandbox: Sandbox) -> Checked:
    """Return a function that runs one check on the good product with changes."""

    async def run(name: str, changes: Changes | None = None, /, **context: Any) -> Evidence:
        request = CheckRequest(name=CheckName(name), context={**CONTEXTS.get(name, {}), **context})
        (evidence,) = await SandboxChecks(sandbox)(product(changes), (request,))
        return evidence

    return run


@pytest.fixture
def run(sandbox: Sandbox, tmp_path: Path) -> Run:
    """Return a function that runs Python source inside."""

    async def call(source: str, **options: Any) -> Execution:
        tree = tmp_path / "tree"
        tree.mkdir(exist_ok=True)
        (tree / "main.py").write_text(source)
        return await sandbox.run(tree, ["python", "main.py"], **options)

    return call
