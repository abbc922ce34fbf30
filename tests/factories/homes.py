"""Homes of the product that all processes of one test run share while any of them needs one."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from cli.run import quiet_prefect
from flows.server import PrefectServer
from storage.embedded import start_embedded
from tests.factories import warm_commands
from tests.factories.product import Product
from tests.factories.sharing import new_home, shared


@contextlib.contextmanager
def shared_product(common: Path) -> Iterator[Product]:
    """Give a home whose Prefect server is kept up between commands, shared by all tests that do not harm it."""
    with _shared_home(common / "product", lambda home: None) as made:
        address = asyncio.run(start_embedded(made.home)).prefect_url
        with PrefectServer(made.home).use(address), _warm_commands(common / "product-commands", made):
            yield made


@contextlib.contextmanager
def shared_services(common: Path) -> Iterator[Product]:
    """Give a home with everything that `botarmy up` starts, shared by all tests that do not harm it."""

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
