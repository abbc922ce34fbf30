"""The product with its services, started once for all tests that use it (end-to-end and in the browser)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from cli.run import quiet_prefect
from flows.server import PrefectServer
from storage.embedded import start_embedded
from tests.factories import warm_commands
from tests.factories.product import Product
from tests.factories.sharing import a_home, new_home, shared

SITE = "tests/e2e/durability/"


class _Scheduler(LoadFileScheduling):
    """Keeps the files of a folder that has a site of its own in one process: it is started once."""

    def _split_scope(self, nodeid: str) -> str:
        return SITE if nodeid.startswith(SITE) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)  # not there with WORKERS=0
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Hand out the tests by file."""
    return _Scheduler(config, log) if config.getoption("dist") == "loadfile" else None


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


@pytest.fixture(scope="session")
def product(common: Path) -> Iterator[Product]:
    """A home whose Prefect server is kept up between commands, shared by all tests that do not harm it."""
    with _shared_home(common / "product", lambda home: None) as made:
        address = asyncio.run(start_embedded(made.home)).prefect_url
        with PrefectServer(made.home).use(address), _warm_commands(common / "product-commands", made):
            yield made


@pytest.fixture
def bare_product() -> Iterator[Product]:
    """A home in which nothing runs: the command starts Postgres and the server by itself."""
    with a_home() as home:
        made = Product(home)
        yield made
        made.run("down")


@pytest.fixture(scope="session")
def services(common: Path) -> Iterator[Product]:
    """A home with everything that `botarmy up` starts, shared by all tests that do not harm it."""

    def up(home: Path) -> None:
        # Three times a second, as `up` has it, is a tenth of a processor while nobody waits.
        done = Product(home, PREFECT_WORKER_QUERY_SECONDS="1").run("up", "--detach")
        assert done.returncode == 0, done.stdout + done.stderr

    with (
        _shared_home(common / "services", up) as made,
        _warm_commands(common / "services-commands", made),
    ):
        yield made


@contextlib.contextmanager
def _shared_home(folder: Path, fill: Callable[[Path], None]) -> Iterator[Product]:
    def start() -> str:
        home = new_home()
        fill(home)
        return str(home)

    def stop(home: str) -> None:
        Product(Path(home)).run("down")
        shutil.rmtree(home, ignore_errors=True)

    with shared(folder, start, stop) as home:
        yield Product(Path(home))


@contextlib.contextmanager
def _warm_commands(folder: Path, product: Product) -> Iterator[None]:
    def start() -> str:
        api = PrefectServer(product.home).running()
        assert api is not None
        return warm_commands.start(product.home, product.environ | api.environment() | quiet_prefect())

    with shared(folder, start, warm_commands.stop):
        yield
