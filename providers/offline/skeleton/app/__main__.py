"""The command line: python -m app serve | list | add | check | backup."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.api import DEFAULT_LIMIT, Api
from app.config import Config, read_config
from app.errors import ConfigError, Invalid, Refusal, StorageError
from app.log import log, start_logging
from app.models import ENTITIES, LIST_ENVELOPE, TITLE
from app.schema import Entity
from app.server import Server
from app.storage import Store
from app.validation import read_text, validate

DOCUMENT = Path(__file__).with_name("openapi.json")
BY_COLLECTION = {entity.collection: entity for entity in ENTITIES}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code: 0 done, 1 refused or failed, 2 wrong use or configuration."""
    options = _parser().parse_args(arguments)
    try:
        config = read_config(os.environ)
        start_logging(config.log_level)
        store = Store(config.database, ENTITIES)
    except ConfigError as error:
        return _fail(2, f"configuration: {error}")
    except StorageError as error:
        return _fail(1, f"storage: {error}")
    try:
        return int(options.run(options, config, store))
    except StorageError as error:
        return _fail(1, f"storage: {error}")
    except Refusal as refusal:
        reasons = "".join(f"\n  {name}: {reason}" for name, reason in refusal.fields.items())
        return _fail(1, refusal.message + reasons)
    finally:
        store.close()


def _fail(code: int, message: str) -> int:
    sys.stderr.write(message.encode("utf-8", "backslashreplace").decode() + "\n")
    return code


def _parser() -> argparse.ArgumentParser:
    # argparse reads % in its texts as a placeholder.
    parser = argparse.ArgumentParser(prog="python -m app", description=TITLE.replace("%", "%%"))
    commands = parser.add_subparsers(required=True, metavar="serve | list | add | check | backup")
    commands.add_parser("serve", help="serve the API until SIGTERM").set_defaults(run=_serve)
    listing = commands.add_parser("list", help="print records, one JSON object per line")
    listing.add_argument("collection", choices=sorted(BY_COLLECTION))
    listing.add_argument("--limit", type=int, default=DEFAULT_LIMIT)
    listing.add_argument("--offset", type=int, default=0)
    listing.set_defaults(run=_list)
    adding = commands.add_parser("add", help="store one record")
    adding.add_argument("collection", choices=sorted(BY_COLLECTION))
    adding.add_argument("values", nargs="*", metavar="field=value")
    adding.set_defaults(run=_add)
    commands.add_parser("check", help="check configuration and stored data").set_defaults(run=_check)
    backup = commands.add_parser("backup", help="write a copy of the stored data, also while the service runs")
    backup.add_argument("file", type=Path)
    backup.set_defaults(run=_backup)
    return parser


def _serve(_options: argparse.Namespace, config: Config, store: Store) -> int:
    api = Api(store, ENTITIES, DOCUMENT.read_bytes(), envelope=LIST_ENVELOPE)
    try:
        server = Server(config.host, config.port, api)
    except OSError as error:
        return _fail(1, f"cannot listen on {config.host} port {config.port}: {error.strerror or error}")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: server.stop())
    log(logging.INFO, "listening", host=config.host, port=server.port)
    server.run()
    log(logging.INFO, "stopped")
    return 0


def _list(options: argparse.Namespace, _config: Config, store: Store) -> int:
    if options.limit < 1 or options.offset < 0:
        raise Invalid("--limit must be at least 1 and --offset at least 0")
    records, _total = store.find(BY_COLLECTION[options.collection], {}, options.limit, options.offset)
    for record in records:
        print(json.dumps(record))
    return 0


def _add(options: argparse.Namespace, _config: Config, store: Store) -> int:
    entity = BY_COLLECTION[options.collection]
    record = store.add(entity, validate(entity, _read_values(entity, options.values)))
    print(json.dumps(record))
    return 0


def _read_values(entity: Entity, words: Sequence[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign:
            raise Invalid(f"{word!r} is not of the form field=value")
        field = entity.field(name)
        values[name] = read_text(field, text) if field else text
    return values


def _backup(options: argparse.Namespace, _config: Config, store: Store) -> int:
    store.copy_to(options.file)
    print(f"ok: {options.file}")
    return 0


def _check(_options: argparse.Namespace, config: Config, store: Store) -> int:
    json.loads(DOCUMENT.read_text(encoding="utf-8"))
    problems = store.check()
    if problems:
        return _fail(1, "\n".join(problems))
    print(f"ok: {config.database}, {len(ENTITIES)} kinds of record")
    return 0


if __name__ == "__main__":
    sys.exit(main())
