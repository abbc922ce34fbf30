"""Products with one thing wrong: the check that is for it fails and says where."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from botarmy.errors import UnsafePath

API, SERVICE, STORE, MAIN = "app/http_api.py", "app/service.py", "app/store.py", "app/__main__.py"


async def test_source_that_does_not_compile(check: Any) -> None:
    evidence = await check("compile", {"app/extra.py": "x = 1\ndef f(:\n    pass\n"})
    assert evidence.outcome == "failed"
    assert evidence.reasons == ("app/extra.py:2: invalid syntax",)
    assert evidence.figures == {"files": 13, "faults": 1}


async def test_a_null_byte_does_not_compile(check: Any) -> None:
    evidence = await check("compile", {"app/extra.py": "x = 1\0\n"})
    assert evidence.outcome == "failed"
    assert evidence.reasons[0].startswith("app/extra.py:1: ")


async def test_another_language_is_not_shown_to_compile(check: Any) -> None:
    evidence = await check("compile", {"app/extra.js": "let x = 1;\n"})
    assert evidence.outcome == "unverified"


async def test_compiling_runs_nothing(check: Any) -> None:
    evidence = await check("compile", {"app/extra.py": "import os\nos._exit(9)\n"})
    assert evidence.outcome == "passed"


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("import subprocess\nsubprocess.run('ls ' + input(), shell=True)\n", "S602"),
        ("PASSWORD = 'hunter2'\n", "S105"),
        ("def find(db, name):\n    return db.execute(f\"SELECT * FROM rows WHERE name = '{name}'\")\n", "S608"),
        ("x = eval(input())\n", "S307"),
        ("import pickle\nx = pickle.loads(b'')\n", "S301"),
    ],
)
async def test_insecure_source(check: Any, source: str, rule: str) -> None:
    evidence = await check("security", {"app/extra.py": source})
    assert evidence.outcome == "failed"
    assert f" {rule} " in evidence.reasons[0]
    assert evidence.reasons[0].startswith("app/extra.py:")
    assert evidence.tool_version.startswith("ruff ")


async def test_a_rule_that_is_not_kept_fails_acceptance(check: Any) -> None:
    evidence = await check("acceptance", {STORE: ("isbn TEXT NOT NULL UNIQUE", "isbn TEXT NOT NULL")})
    assert evidence.outcome == "failed"
    assert evidence.figures["failed"] == 1
    assert "tests_acceptance.test_rules.RuleTest.test_isbn_is_unique" in evidence.reasons[0]
    assert "tests_acceptance/test_rules.py:18: AssertionError: 201 != 409" in evidence.reasons[0]


async def test_no_acceptance_test_shows_nothing(check: Any) -> None:
    evidence = await check("acceptance", {"tests_acceptance/test_rules.py": None})
    assert evidence.outcome == "unverified"
    assert evidence.reasons == ("no test is declared in tests_acceptance/test*.py, so no rule is shown",)


async def test_acceptance_tests_cannot_look_inside(check: Any) -> None:
    source = "import unittest\nimport app\n\n\nclass A(unittest.TestCase):\n    def test_a(self):\n        pass\n"
    evidence = await check("acceptance", {"tests_acceptance/test_inside.py": source})
    assert evidence.outcome == "failed"
    assert "ModuleNotFoundError" in evidence.reasons[0]


async def test_a_service_that_does_not_start(check: Any) -> None:
    changes = {MAIN: ("    settings = Settings()", "    raise ValueError('no way')")}
    for name in ("acceptance", "contract", "health", "performance", "config"):
        evidence = await check(name, changes)
        assert evidence.outcome == "failed"
        assert "ended with exit code 1 while it started" in evidence.reasons[0]
        assert "no way" in evidence.reasons[0]


async def test_a_service_that_listens_nowhere(check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox.checks import job  # noqa: PLC0415

    monkeypatch.setattr(job, "STARTUP_S", 0.5)
    evidence = await check("health", {"app/settings.py": ('int(os.environ.get("PORT", "8080"))', "9999")})
    assert evidence.outcome == "failed"
    assert "was not healthy within 0.5 s" in evidence.reasons[0]


async def test_an_undocumented_status(check: Any, contexts: Any) -> None:
    evidence = await check("contract", {API: ("return 201,", "return 200,")})
    assert evidence.outcome == "failed"
    assert evidence.figures["documented"] == 11
    assert "answered 200, which POST /authors does not document (documented: 201, 400, 413, 422)" in evidence.reasons[0]


async def test_a_body_that_does_not_fit(check: Any) -> None:
    evidence = await check(
        "contract", {STORE: ("'available'\n);", "'new'\n);"), SERVICE: ('("available", "lent")', '("new", "lent")')}
    )
    assert evidence.outcome == "failed"
    assert "status does not fit its schema: 'new' is not one of ['available', 'lent']" in evidence.reasons[0]


async def test_a_forbidden_body_that_is_accepted(check: Any) -> None:
    evidence = await check("contract", {SERVICE: ("not 1 <= pages <= MAX_PAGES", "not pages <= MAX_PAGES")})
    assert evidence.outcome == "failed"
    assert len(evidence.reasons) == 2
    assert "POST /books with a body with pages too small" in evidence.reasons[0]
    assert "although the document forbids the request" in evidence.reasons[0]


async def test_a_missing_row_that_is_found(check: Any) -> None:
    changes = {
        SERVICE: (
            '            raise Refused(404, "not-found")\n        return rows[0]',
            '            return {"id": number, "name": ""}\n        return rows[0]',
        )
    }
    evidence = await check("contract", changes)
    assert evidence.outcome == "failed"
    assert any(
        "GET /authors/987654321 with an id that does not exist: answered 200" in reason for reason in evidence.reasons
    )


async def test_a_failure_of_the_service(check: Any) -> None:
    evidence = await check("contract", {SERVICE: ('        book = self.one("book", number)\n', "        book = {}\n")})
    assert evidence.outcome == "failed"
    assert evidence.reasons[0].endswith(
        "/lend: no answer (RemoteDisconnected: Remote end closed connection without response); the service wrote: "
        "File \"app/service.py\", line 78, in act KeyError: 'status'"
    )


async def test_malformed_json_that_breaks_it(check: Any) -> None:
    evidence = await check("contract", {API: ("except ValueError:", "except LookupError:")})
    assert evidence.outcome == "failed"
    assert 'with malformed JSON (sent {"broken": ): no answer' in evidence.reasons[0]


async def test_an_operation_that_is_not_there(check: Any, contexts: Any) -> None:
    openapi = copy.deepcopy(contexts["contract"]["openapi"])
    openapi["paths"]["/loans"] = {"get": {"operationId": "list_loans", "responses": {"200": {"description": "ok"}}}}
    evidence = await check("contract", openapi=openapi)
    assert evidence.outcome == "failed"
    assert "GET /loans: answered 404, which GET /loans does not document" in evidence.reasons[0]
    assert evidence.figures["operations"] == 14


async def test_an_operation_that_never_succeeds_is_unverified(check: Any) -> None:
    evidence = await check(
        "contract", {SERVICE: ('"return": ("lent", "available")', '"return": ("lost", "available")')}
    )
    assert evidence.outcome == "unverified"
    assert evidence.reasons[0].startswith(
        "POST /books/{id}/return never answered with success; the last answer was 409"
    )
    assert evidence.figures["succeeded"] == 12


async def test_a_service_that_dies_while_it_is_called(check: Any) -> None:
    changes = {
        SERVICE: (
            '        self.one(kind, number)\n        self.store.change(f"delete',
            '        import os\n        os._exit(3)\n        self.store.change(f"delete',
        )
    }
    evidence = await check("contract", changes)
    assert evidence.outcome == "failed"
    assert "the service ended while it was called" in evidence.reasons[0]


@pytest.mark.parametrize("name", ["contract", "health", "performance"])
async def test_no_document_is_unverified(check: Any, name: str) -> None:
    evidence = await check(name, openapi=None)
    assert evidence.outcome == "unverified"
    assert "no OpenAPI document" in evidence.reasons[0]


@pytest.mark.parametrize(
    "openapi", [{}, {"paths": 7}, {"paths": {"/a": {"get": {"responses": {"200": {"$ref": "#/no"}}}}}}]
)
async def test_a_document_that_is_none_is_unverified(check: Any, openapi: Any) -> None:
    evidence = await check("contract", openapi=openapi)
    assert evidence.outcome == "unverified"
    assert "cannot be read" in evidence.reasons[0]


async def test_sigterm_that_is_ignored(check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox.checks import job  # noqa: PLC0415

    monkeypatch.setattr(job, "STOP_S", 0.5)
    evidence = await check("health", {MAIN: ("threading.Thread(target=server.shutdown).start()", "None")})
    assert evidence.outcome == "failed"
    assert evidence.reasons == ("SIGTERM did not stop the service within the time; it had to be killed",)


async def test_sigterm_that_is_not_handled(check: Any) -> None:
    evidence = await check(
        "health", {MAIN: ("    signal.signal(signal.SIGTERM", "    (lambda *_: None)(signal.SIGTERM")}
    )
    assert evidence.outcome == "failed"
    assert "exit code -15" in evidence.reasons[0]


async def test_data_that_do_not_survive(check: Any) -> None:
    evidence = await check("health", {STORE: ('folder / "library.db"', '":memory:"')})
    assert evidence.outcome == "failed"
    assert "data did not survive a restart" in evidence.reasons[0]
    assert evidence.figures["data_survived"] is False


ROWS = 'return 200, self.server.library.store.rows(f"list_{kind}s")'
WRAPPED = 'return 200, {"items": self.server.library.store.rows(f"list_{kind}s"), "total": 1}'
IN_MEMORY = {STORE: ('folder / "library.db"', '":memory:"')}


def lists_only(contexts: Any, *, wrapped: bool) -> dict[str, Any]:
    """Return the good product's document without any address of a single row."""
    openapi: dict[str, Any] = copy.deepcopy(contexts["health"]["openapi"])
    openapi["paths"] = {path: item for path, item in openapi["paths"].items() if "{" not in path}
    for item in openapi["paths"].values() if wrapped else ():
        media = item["get"]["responses"]["200"]["content"]["application/json"]
        media["schema"] = {"type": "object", "properties": {"total": {"type": "integer"}, "items": media["schema"]}}
    return openapi


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize(("store", "outcome"), [({}, "passed"), (IN_MEMORY, "failed")])
async def test_data_of_a_list_that_do_not_survive(
    check: Any, contexts: Any, wrapped: bool, store: Any, outcome: str
) -> None:
    changes = {**store, **({API: (ROWS, WRAPPED)} if wrapped else {})}
    evidence = await check("health", changes, openapi=lists_only(contexts, wrapped=wrapped))
    assert evidence.outcome == outcome
    assert evidence.figures["data_survived"] is (outcome == "passed")
    assert evidence.figures["write_operations"] == 2
    assert outcome == "passed" or "data did not survive a restart: GET /authors was" in evidence.reasons[0]


async def test_a_written_row_that_its_list_does_not_show(check: Any, contexts: Any) -> None:
    evidence = await check("health", {API: (ROWS, "return 200, []")}, openapi=lists_only(contexts, wrapped=False))
    assert evidence.outcome == "unverified"
    assert "no row could be made and read back (answers: 201, 200)" in evidence.reasons[0]


async def test_rows_that_nothing_reads_back(check: Any, contexts: Any) -> None:
    openapi = lists_only(contexts, wrapped=False)
    for item in openapi["paths"].values():
        if "post" in item:
            del item["get"]
    evidence = await check("health", IN_MEMORY, openapi=openapi)
    assert evidence.outcome == "unverified"
    assert "has operations that write, but none whose row can be read back" in evidence.reasons[0]


async def test_a_document_that_writes_nothing_has_nothing_to_keep(check: Any, contexts: Any) -> None:
    openapi = lists_only(contexts, wrapped=False)
    for item in openapi["paths"].values():
        item.pop("post", None)
    evidence = await check("health", IN_MEMORY, openapi=openapi)
    assert evidence.outcome == "passed"
    assert evidence.figures["write_operations"] == 0
    assert "data_survived" not in evidence.figures


async def test_a_second_start_that_fails(check: Any) -> None:
    evidence = await check("health", {STORE: ("CREATE TABLE IF NOT EXISTS authors", "CREATE TABLE authors")})
    assert evidence.outcome == "failed"
    assert evidence.reasons[0].startswith("after a restart with the same DATA_DIR: the service ended with exit code 1")


async def test_errors_under_load(check: Any) -> None:
    evidence = await check(
        "performance",
        {API: ('fixed = {"/health"', 'if path == "/books":\n            return 500, {}\n        fixed = {"/health"')},
    )
    assert evidence.outcome == "failed"
    assert "GET /books answered 500" in evidence.reasons[0]
    assert evidence.figures["errors"] > 0


async def test_figures_of_performance_are_measured(check: Any) -> None:
    quick = await check("performance")
    slow = await check(
        "performance",
        {API: ("library, method, path =", "__import__('time').sleep(0.02)\n        library, method, path =")},
    )
    assert slow.figures["p50_ms"] >= 20
    assert quick.figures["p50_ms"] < slow.figures["p50_ms"]
    assert 0 < quick.figures["p50_ms"] <= quick.figures["p95_ms"]
    assert quick.figures["requests"] > slow.figures["requests"] > 0
    assert quick.figures["errors"] == 0


async def test_an_incomplete_configuration(check: Any) -> None:
    environments = [{"name": "production", "variables": {"HOST": "0.0.0.0", "PORT": "80", "DATA_DIR": " "}}]  # noqa: S104
    evidence = await check("config", environments=environments)
    assert evidence.outcome == "failed"
    assert evidence.reasons == (
        "environment production: DATA_DIR, which app/settings.py:13 reads, has no value",
        "environment production: LOG_LEVEL, which app/settings.py:14 reads, has no value",
    )


async def test_a_configuration_that_keeps_it_from_starting(check: Any) -> None:
    variables = {"HOST": "127.0.0.1", "PORT": "8080", "DATA_DIR": "data", "LOG_LEVEL": "SHOUT"}
    evidence = await check("config", environments=[{"name": "staging", "variables": variables}])
    assert evidence.outcome == "failed"
    assert evidence.reasons[0].startswith("environment staging: the service ended with exit code 1")
    assert "SHOUT" in evidence.reasons[0]
    assert evidence.figures["started"] == 0


async def test_a_path_that_is_refused_runs_nothing(check: Any) -> None:
    with pytest.raises(UnsafePath, match="leaves its tree"):
        await check("compile", {"../escape.py": "x = 1\n"})
