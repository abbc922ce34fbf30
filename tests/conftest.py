"""The product with its services, started once for all tests that use it (end-to-end and in the browser)."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest

from flows.server import PrefectServer
from storage.embedded import start_embedded
from tests.factories.product import Product
from tests.factories.shared_home import a_home, shared_home

_END_OF_CERTIFICATE = "-----END CERTIFICATE-----\n"


@pytest.fixture(scope="session", autouse=True)
def _one_authority(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let vendors' clients trust one authority: no test speaks TLS, and each client would load more than 100."""
    file = tmp_path_factory.mktemp("authority") / "one.pem"
    first, end, _ = Path(certifi.where()).read_text("utf-8").partition(_END_OF_CERTIFICATE)
    file.write_text(first + end, "utf-8")
    os.environ["SSL_CERT_FILE"] = str(file)


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
    """A home whose Prefect server is kept up between commands: each then starts in a second and not in six."""

    def start(home: Path) -> None:
        asyncio.run(start_embedded(home))

    def stop(home: Path) -> None:
        Product(home).run("down")

    with shared_home(common / "product", start, stop) as home:
        postgres = asyncio.run(start_embedded(home))
        with PrefectServer(home).use(postgres.prefect_url):
            yield Product(home)


@pytest.fixture
def bare_product() -> Iterator[Product]:
    """A home in which nothing runs: the command starts Postgres and the server by itself."""
    with a_home() as home:
        made = Product(home)
        yield made
        made.run("down")


@pytest.fixture(scope="session")
def services(common: Path) -> Iterator[Product]:
    """A home with everything that `botarmy up` starts."""

    def start(home: Path) -> None:
        done = Product(home).run("up", "--detach")
        assert done.returncode == 0, done.stdout + done.stderr

    def stop(home: Path) -> None:
        Product(home).run("down")

    with shared_home(common / "services", start, stop) as home:
        yield Product(home)
