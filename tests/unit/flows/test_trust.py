"""What clients of our own server are spared: all certificate authorities but one, and asking for tokens."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from flows.server import TRUST, WITHOUT_TOKEN, PrefectApi, PrefectServer, server_environment


def test_one_authority_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TRUST, raising=False)
    named = PrefectServer(tmp_path).trust
    context = ssl.create_default_context(cafile=named)
    assert context.cert_store_stats()["x509_ca"] == 1
    assert PrefectServer(tmp_path).trust == named
    assert [each.name for each in (tmp_path / "prefect").iterdir()] == ["authority.pem"], "nothing half-written is left"


def test_the_users_own_file_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRUST, "/etc/company.pem")
    assert PrefectServer(tmp_path).trust == "/etc/company.pem"


def test_a_foreign_server_is_trusted_as_prefect_does() -> None:
    assert TRUST not in PrefectApi(url="https://cloud/api", key="pnu_1").environment()
    assert PrefectApi(url="http://127.0.0.1/api", trust="/one.pem").environment()[TRUST] == "/one.pem"


def test_clients_ask_our_own_server_alone_for_no_token_and_it_wants_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED", "true")
    assert server_environment(tmp_path, "", "a:b")["PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED"] == "false"
    ours = PrefectApi(url="http://127.0.0.1/api", ours=True)
    assert ours.environment().items() >= WITHOUT_TOKEN.items()
    assert not PrefectApi(url="https://cloud/api").environment().keys() & WITHOUT_TOKEN.keys()
