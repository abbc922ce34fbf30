"""Which port our Prefect server can have."""

from __future__ import annotations

import socket

import pytest

from flows.server import free_port, is_free


def test_a_port_on_which_somebody_listens_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not is_free(listener.getsockname()[1])
    assert is_free(free_port())


def test_a_port_is_free_while_a_connection_of_its_last_server_fades_away() -> None:
    """Otherwise `down` and `up` would move the web interface to another address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        connection, _ = listener.accept()
    connection.close()  # the side that closes first is the one that waits
    client.close()
    with socket.socket() as plain, pytest.raises(OSError, match="in use"):  # else this test would show nothing
        plain.bind(("127.0.0.1", port))
    assert is_free(port)
