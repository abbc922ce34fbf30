"""A generated product as its user has it: README, restarts, crashes, a changed design, many clients, its files."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from botarmy.artifacts import DataField, Entity, Requirement
from botarmy.brief import sentences
from botarmy.checks import FileText
from providers.offline.provider import generate
from sandbox.tree import write_tree
from tests.factories.generated_products import write_product
from tests.factories.running_service import RunningService
from tests.factories.service_designs import inputs_of, library
from tests.integration.offline_service.test_briefs_become_products import ORDER, WITH_FILES

EXAMPLE = Path(__file__).parents[3] / "examples" / "briefs" / "library.md"
Start = Callable[..., RunningService]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start services; those still running are killed at the end."""
    running: list[RunningService] = []

    def begin(root: Path, **settings: str) -> RunningService:
        running.append(RunningService(root, tmp_path / "data", **settings))
        return running[-1]

    yield begin
    for service in running:
        service.stop(signal.SIGKILL)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_product(inputs_of(library()), tmp_path / "product")


def run(words: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, **options)


def commands(readme: str) -> list[str]:
    """Return the lines of the README's shell blocks."""
    blocks = readme.split("```sh\n")[1:]
    return [line for block in blocks for line in block.split("```")[0].splitlines()]


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("envelope", [True, False])
def test_every_curl_example_of_the_readme_works(tmp_path: Path, start: Start, envelope: bool) -> None:
    root = write_product(inputs_of(library(), envelope=envelope), tmp_path / "product")
    service = start(root)
    examples = [line for line in commands((root / "README.md").read_text()) if line.startswith("curl ")]
    assert len(examples) > 20
    for example in examples:
        line = example.replace("127.0.0.1:8080", f"127.0.0.1:{service.port}")
        done = run(["sh", "-c", line + " --fail-with-body"])
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    for collection in ("books", "members", "loans"):
        status, content = service.call("GET", f"/{collection}")
        assert (status, content["items"] if envelope else content) == (200, [])


def test_the_other_commands_of_the_readme_work(root: Path, tmp_path: Path) -> None:
    environment = {"DATA_DIR": str(tmp_path / "data"), "PATH": "/usr/bin:/bin"}
    for line in commands((root / "README.md").read_text()):
        words = shlex.split(line, comments=True)
        if words[0] == "python" and "serve" not in words:
            done = run([sys.executable, *words[1:]], cwd=root, env=environment)
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    title = {"title": "T", "isbn": "1234567890", "reference_only": "true", "stars": "3", "price": "1.5"}
    adding = ["-m", "app", "add", "books", *(f"{name}={value}" for name, value in title.items())]
    done = run([sys.executable, *adding], cwd=root, env=environment)
    record = json.loads(done.stdout)
    assert (record["id"], record["stars"], record["price"], record["reference_only"]) == (2, 3, 1.5, True)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """The tree as it is exported: the tester's acceptance tests stand beside the product's own."""
    text = EXAMPLE.read_text(encoding="utf-8")
    known: dict[str, Any] = {"brief": text, "sentences": [one.model_dump() for one in sentences(text)], "feedback": []}
    for kind in ORDER:
        known[kind] = generate(kind, known).model_dump(mode="json")
    files = tuple(FileText(**file) for kind in WITH_FILES for file in known[kind]["files"])
    write_tree(files, tmp_path / "whole")
    return tmp_path / "whole"


def test_the_commands_that_run_tests_pass_as_they_stand_in_the_readme(
    whole: Path, tmp_path: Path, start: Start
) -> None:
    own, acceptance = [line for line in commands((whole / "README.md").read_text()) if "unittest" in line]
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "DATA_DIR": str(tmp_path / "unused")}
    done = run(["sh", "-c", own], cwd=whole, env=environment)
    assert done.returncode == 0, done.stderr
    assert "skipped" not in done.stderr
    assert own.replace("python", "", 1) in (whole / ".github/workflows/ci.yml").read_text()

    service = start(whole)
    line = acceptance.replace("127.0.0.1:8080", f"127.0.0.1:{service.port}")
    done = run(["sh", "-c", line], cwd=whole, env=environment)
    assert done.returncode == 0, done.stderr
    assert "skipped" not in done.stderr

    _address, bare = acceptance.split(" ", 1)
    done = run(["sh", "-c", bare], cwd=whole, env=environment)
    assert done.returncode == 1
    assert "FAILED (errors=1)" in done.stderr
    assert [line for line in done.stderr.splitlines() if "BASE_URL=http" in line][-1].count(
        "need a running service"
    ) == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -9)])
def test_answered_writes_survive_the_end_of_the_process(root: Path, start: Start, number: int, code: int) -> None:
    service = start(root)
    made = [service.call("POST", "/members", {"name": f"m{turn}"}) for turn in range(20)]
    assert [status for status, _record in made] == [201] * 20
    assert service.stop(number) == code
    again = start(root)
    assert again.call("GET", "/members?limit=1000")[1]["items"] == [record for _status, record in made]


def test_a_running_request_is_answered_before_the_end(root: Path, start: Start) -> None:
    service = start(root)
    body = json.dumps({"name": "slow"}).encode()
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as client:
        client.sendall(b"POST /members HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body))
        time.sleep(0.3)
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        client.sendall(body)
        assert client.recv(65536).startswith(b"HTTP/1.1 201 ")
    assert service.process.wait(10) == 0


def changed(*fields: DataField) -> Sequence[Entity]:
    return [Entity(name="note", collection="notes", fields=fields)]


def test_a_changed_design_keeps_the_data_or_refuses_to_start(tmp_path: Path, start: Start) -> None:
    text = DataField(name="text", type="string", required=True)
    first = write_product(inputs_of(changed(text)), tmp_path / "first")
    service = start(first)
    assert service.call("POST", "/notes", {"text": "hello"})[0] == 201
    service.stop()
    second = write_product(
        inputs_of(changed(text, DataField(name="stars", type="integer", minimum=1))), tmp_path / "second"
    )
    service = start(second)
    assert service.call("GET", "/notes/1") == (200, {"id": 1, "text": "hello", "stars": None})
    service.stop()
    third = write_product(inputs_of(changed(DataField(name="text", type="string", max_length=3))), tmp_path / "third")
    with pytest.raises(AssertionError, match="does not fit"):
        start(third)
    assert start(second).call("GET", "/notes/1")[0] == 200


def test_many_clients_at_the_same_time(root: Path, start: Start) -> None:
    service = start(root)

    def add(turn: int) -> int:
        return service.call("POST", "/members", {"name": "m", "email": f"{turn % 20}@x"})[0]

    with ThreadPoolExecutor(16) as clients:
        statuses = list(clients.map(add, range(200)))
    assert (statuses.count(201), statuses.count(409)) == (20, 180)


def test_the_log_tells_each_request_and_nothing_untrusted_breaks_a_line(root: Path, start: Start) -> None:
    service = start(root)
    assert service.call("GET", "/%0a%22books%1b?limit=1")[0] == 404
    service.stop()
    lines = [json.loads(line) for line in service.log().splitlines()]
    request = next(line for line in lines if line["event"] == "request")
    assert (request["status"], request["method"], request["path"]) == (404, "GET", "/%0a%22books%1b")
    assert len(request["request_id"]) == 32


@pytest.mark.parametrize(
    "path", ["/../app/models.py", "/..%2f..%2fetc/passwd", "//etc/passwd", "/books/../../x", "/books/%00"]
)
def test_no_path_leads_to_a_file(root: Path, start: Start, path: str) -> None:
    assert start(root).call("GET", path)[0] == 404


@pytest.mark.parametrize("settings", [{"PORT": "many"}, {"HOST": "a b"}, {"LOG_LEVEL": "LOUD"}])
def test_a_wrong_setting_ends_the_start_with_its_name(root: Path, start: Start, settings: dict[str, str]) -> None:
    with pytest.raises(AssertionError, match=f"ended with 2.*{next(iter(settings))}"):
        start(root, **settings)


def test_strict_types_and_lint_in_the_whole_product(root: Path) -> None:
    tools = Path(sys.executable).parent
    mypy = [tools / "mypy", "--strict", "--config-file=", "--no-incremental", "app", "tests"]
    done = run(mypy, cwd=root)
    assert done.returncode == 0, done.stdout
    rules = ["--select", "E,F,I,B,UP,S,C4,SIM,C90,PIE,RET,PTH", "--ignore", "S101,S603"]
    lint = [tools / "ruff", "check", "--isolated", "--line-length", "120", "--ignore-noqa", *rules, "."]
    done = run(lint, cwd=root)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_the_unit_is_one_that_systemd_reads(tmp_path: Path) -> None:
    root = write_product(inputs_of(library(), title='100% \\ "Größe" $HOME'), tmp_path / "product")
    unit = next((root / "deploy").glob("*.service"))
    done = run(["systemd-analyze", "verify", str(unit)])
    complaints = [line for line in done.stderr.splitlines() if unit.name in line and "/usr/bin/python3" not in line]
    assert complaints == []


def test_a_brief_that_attacks_becomes_a_product_that_works(tmp_path: Path, start: Start) -> None:
    evil = "a\"\"\"'''\\ {{7*7}} <script> `id` $(id); DROP TABLE notes; --"
    entities: list[Any] = [
        Entity(
            name="note",
            collection="notes",
            description=evil,
            fields=(DataField(name="kind", type="string", values=(evil, "b")),),
        )
    ]
    requirement = Requirement(id="R1", text=evil, kind="functional", priority="must", sources=("S1",), understood=False)
    root = write_product(
        inputs_of(entities, title=evil, purpose=evil, requirements=[requirement]), tmp_path / "product"
    )
    service = start(root)
    assert service.call("POST", "/notes", {"kind": evil}) == (201, {"id": 1, "kind": evil})
    assert service.call("GET", "/notes")[1]["total"] == 1
    done = run([sys.executable, "-m", "unittest", "discover"], cwd=root)
    assert done.returncode == 0, done.stderr
