"""The command: python -m app serve."""

import logging
import signal
import sys
import threading

from app.http_api import Server
from app.service import Library
from app.settings import Settings
from app.store import Store


def serve() -> None:
    """Serve until SIGTERM."""
    settings = Settings()
    logging.basicConfig(level=settings.log_level)
    store = Store(settings.data)
    server = Server((settings.host, settings.port), Library(store))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.05)
    server.server_close()
    store.close()


if __name__ == "__main__":
    if sys.argv[1:] != ["serve"]:
        sys.exit("usage: python -m app serve")
    serve()
