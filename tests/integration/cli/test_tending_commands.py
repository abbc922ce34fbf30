"""db and doctor against real databases."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest


@pytest.fixture
def http_server():
    """A server on loopback that answers every GET with the status in its attribute."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(self.server.status)
            self.end_headers()

        def log_message(self, *words):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    server.status = 200
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def checks(said):
    return {check["name"]: check for check in said.json["checks"]}


def test_the_schema_goes_up_and_down(botarmy, empty_url):
    assert "from nothing to" in botarmy("db", "upgrade", url=empty_url).out
    assert "already" in botarmy("db", "upgrade", url=empty_url).out
    refused = botarmy("db", "downgrade", "--to", "base", url=empty_url)
    assert refused.code == 2
    assert "Nothing was changed" in refused.err
    assert botarmy("db", "downgrade", "--to", "base", "--yes", "--json", url=empty_url).json["schema"] is None
    unknown = botarmy("db", "upgrade", "--to", "zzzz", url=empty_url)
    assert unknown.code == 2
    assert "no schema revision" in unknown.err


def test_a_backup_brings_everything_back(botarmy, finished, empty_url, home):
    said = botarmy("db", "backup", "all.dump", "--json").json
    assert said["bytes"] == (home / "all.dump").stat().st_size
    before = botarmy("show", "books", "--json").json
    refused = botarmy("db", "restore", "all.dump")
    assert refused.code == 2
    assert "holds 1 project" in refused.err
    botarmy("purge", "books", "--yes", "books")
    restored = botarmy("db", "restore", "all.dump", "--yes")
    assert restored.code == 0, restored.err
    assert botarmy("show", "books", "--json").json == before
    assert botarmy("audit", "books", "--json").json["check"]["whole"] is True
    elsewhere = botarmy("db", "restore", "all.dump", url=empty_url)
    assert elsewhere.code == 0, elsewhere.err
    assert botarmy("show", "books", "--json", url=empty_url).json == before


def test_a_file_that_is_no_backup_changes_nothing(botarmy, finished, home):
    (home / "x.dump").write_text("hello")
    assert "is no backup" in botarmy("db", "restore", "x.dump", "--yes").err
    assert "No such file" in botarmy("db", "restore", "absent", "--yes").err
    botarmy("db", "backup", "all.dump")
    whole = (home / "all.dump").read_bytes()
    (home / "cut.dump").write_bytes(whole[: len(whole) // 2])
    cut = botarmy("db", "restore", "cut.dump", "--yes")
    assert cut.code == 2
    assert "cut short" in cut.err
    assert botarmy("show", "books").code == 0


def test_a_backup_that_cannot_be_written_leaves_the_old_one(botarmy, finished, home):
    assert botarmy("db", "backup", "absent/all.dump").code == 2
    assert botarmy("db", "backup", ".").code == 2
    botarmy("db", "backup", "all.dump")
    old = (home / "all.dump").read_bytes()
    down = botarmy("db", "backup", "all.dump", url="postgresql://x:secret@127.0.0.1:1/none")
    assert down.code == 1
    assert "secret" not in down.err
    assert (home / "all.dump").read_bytes() == old
    assert [entry.name for entry in home.iterdir()] == ["all.dump"]


def test_the_doctor_finds_a_sound_machine_sound(botarmy):
    said = botarmy("doctor", "--json")
    found = checks(said)
    assert said.code == 0, said.out
    assert said.json["ok"] is True
    assert {"python", "git", "home", "disk", "database", "migrations", "sandbox", "prefect"} <= set(found)
    assert "isolated by bubblewrap" in found["sandbox"]["message"]
    assert found["migrations"]["status"] == "ok"
    assert "no model" in found["coder"]["message"]
    assert botarmy("doctor").out.rstrip().endswith("Everything that is needed works.")


def test_the_doctor_says_what_is_wrong_and_how_to_mend_it(botarmy):
    said = botarmy(
        "doctor",
        "--json",
        url="postgresql://x:secret@127.0.0.1:1/none",
        PATH="/nowhere",
        CODER_AGENT_PROVIDER="openai",
        CODER_AGENT_MODEL="m",
        PREFECT_API_URL="http://127.0.0.1:1/api",
    )
    assert said.code == 1
    found = checks(said)
    for name in ("git", "database", "coder", "prefect"):
        assert found[name]["status"] == "fail", name
        assert found[name]["hint"], name
    assert found["analyst"]["status"] == "ok"
    assert "secret" not in said.out


def test_the_doctor_never_prints_a_key(botarmy):
    said = botarmy(
        "doctor", CODER_AGENT_PROVIDER="openai", CODER_AGENT_MODEL="m", OPENAI_API_KEY="sk-very-secret-key-123456"
    )
    assert "very-secret" not in said.out + said.err
    assert "openai/m" in said.out


def test_the_doctor_survives_wrong_settings(botarmy):
    said = botarmy("doctor", "--json", BOTARMY_MAX_LOG_BYTES="many")
    assert said.code == 1
    assert checks(said)["settings"]["status"] == "fail"


@pytest.mark.parametrize(("status", "level"), [(200, "ok"), (401, "ok"), (503, "fail")])
def test_the_doctor_asks_the_prefect_api(botarmy, http_server, status, level):
    http_server.status = status
    address = f"http://user:password@127.0.0.1:{http_server.server_port}/api"
    found = checks(botarmy("doctor", "--json", PREFECT_API_URL=f"http://127.0.0.1:{http_server.server_port}/api"))
    assert found["prefect"]["status"] == level
    assert "password" not in botarmy("doctor", "--json", PREFECT_API_URL=address).out


def test_the_doctor_sees_an_empty_database_and_an_old_schema(botarmy, empty_url):
    assert checks(botarmy("doctor", "--json", url=empty_url))["migrations"]["status"] == "warn"
    botarmy("db", "upgrade", "--to", "0001", url=empty_url)
    old = checks(botarmy("doctor", "--json", url=empty_url))["migrations"]
    assert old["status"] == "warn"
    assert "0001 is older" in old["message"]


def test_the_doctor_starts_nothing(botarmy, home):
    said = botarmy("doctor", "--json", url="")
    assert "made on first use" in checks(said)["database"]["message"]
    assert not (home / ".botarmy").exists()
