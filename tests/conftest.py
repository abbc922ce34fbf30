"""How the suite runs: where it writes, what comes first, how it is spread over processes."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from flows.server import PrefectServer
from tests.factories.memory import work_in_memory

SITE = "tests/e2e/durability/"
FIRST = (SITE, "tests/ui/", "tests/e2e/")
"""What takes longest comes first, and what shares services together: they are stopped when nobody needs them any more."""


class _Scheduler(LoadFileScheduling):
    """Keeps the files of a folder that has a site of its own in one process: it is started once."""

    def _split_scope(self, nodeid: str) -> str:
        return SITE if nodeid.startswith(SITE) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)  # not there with WORKERS=0
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Hand out the tests by file."""
    return _Scheduler(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main() -> Iterator[None]:
    """Write to memory where there is room; the processes of the run inherit it."""
    folder = work_in_memory()
    try:
        return (yield)
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests into their order; those of a file stay together."""
    items.sort(key=lambda item: next((at for at, name in enumerate(FIRST) if item.nodeid.startswith(name)), len(FIRST)))


@pytest.fixture(scope="session", autouse=True)
def _one_authority(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let vendors' clients trust one authority: no test speaks TLS, and each client would load more than 100."""
    os.environ["SSL_CERT_FILE"] = PrefectServer(tmp_path_factory.mktemp("authority")).trust


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard() -> None:
    """Undo what a shell does to its background jobs: it lets them ignore Ctrl-C, and they let their children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the processes of this test run have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
