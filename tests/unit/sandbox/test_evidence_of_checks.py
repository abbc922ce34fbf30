"""From what a probe said to evidence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from botarmy.checks import CheckName, FileText
from sandbox.checks.configuring import for_start, incomplete, variables_read
from sandbox.checks.evidence import MAX_LOG, MAX_REASONS, bounded, conclude, evidence, parse_report, shorten
from sandbox.checks.serving import judge_load, percentile
from sandbox.checks.static import LINT_IGNORED, LINT_RULES, ruff_command
from sandbox.checks.testing import covered
from sandbox.limits import Execution, Limits


def execution(**changes: Any) -> Execution:
    base = {"exit_code": 0, "stdout": "", "stderr": "", "duration_s": 1.23456, "timed_out": False}
    return Execution(**{**base, "truncated": False, "isolation": "bubblewrap 0.11.0", **changes})


def report(*lines: dict[str, Any] | str) -> bytes:
    return "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines).encode()


def test_a_report_with_the_nonce_counts() -> None:
    assert parse_report(execution(report=report({"nonce": "n", "a": 1})), "n") == ({"a": 1}, "")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "ended with exit code 0 before it reported"),
        ({"report": report({"nonce": "other"})}, "something other than our probe"),
        ({"report": report({"a": 1})}, "something other than our probe"),
        ({"report": report({"nonce": "n"}, {"nonce": "n"})}, "something other than our probe"),
        ({"report": report({"nonce": "n"}, "{")}, "cannot be read"),
        ({"report": report("[1]")}, "something other than our probe"),
        ({"report": report({"nonce": "n"}), "stopped": "longer than 1 s"}, "longer than 1 s"),
    ],
)
def test_other_reports_do_not(changes: dict[str, Any], why: str) -> None:
    found, said = parse_report(execution(**changes), "n")
    assert found is None
    assert why in said


def test_failures_outweigh_doubts_and_doubts_outweigh_nothing() -> None:
    assert conclude([]).outcome == "passed"
    assert conclude([], ["d"]).outcome == "unverified"
    assert conclude(["f"], ["d"]).outcome == "failed"
    assert conclude(["f"], ["d"]).reasons == ("f", "d")


def test_evidence_is_bounded_and_hashed() -> None:
    run = execution(stdout="x" * (2 * MAX_LOG), stopped="more than 9 bytes of output")
    made = evidence(CheckName.lint, ["ruff"], run, conclude([f"r{n}" for n in range(99)]), tool_version="ruff 1")
    assert len(made.log) < MAX_LOG + 100
    assert "characters left out" in made.log
    assert made.log.endswith("[ended by the sandbox: more than 9 bytes of output]")
    assert len(made.log_sha256) == 64
    assert len(made.reasons) == MAX_REASONS + 1
    assert made.reasons[-1] == f"and {99 - MAX_REASONS} more of the kind"
    assert made.tool_version == "ruff 1, bubblewrap 0.11.0"
    assert made.trusted
    assert made.duration_s == 1.235
    untrusted = evidence(CheckName.lint, ["ruff"], execution(isolation="none"), conclude([]), tool_version="ruff 1")
    assert not untrusted.trusted


def test_texts_are_shortened_in_the_middle() -> None:
    assert shorten("abc", 3) == "abc"
    assert shorten("abcdef", 4) == "ab\n[… 2 characters left out …]\nef"
    assert bounded(["a", "a", "b"]) == ("a", "b")


def test_percentiles_are_of_the_nearest_rank() -> None:
    times = [float(n) for n in range(1, 101)]
    assert percentile(times, 0.5) == 50
    assert percentile(times, 0.95) == 95
    assert percentile([7.0], 0.95) == 7


LOAD: dict[str, Any] = {
    "times": [3.0, 1.0, 2.0],
    "errors": [],
    "alive": True,
    "seconds": 0.5,
    "writes": 1,
    "refused": 0,
    "startup_s": 0.1,
    "distinct": ["GET /a"],
    "log": "",
}


def test_figures_of_a_load() -> None:
    finding = judge_load(LOAD)
    assert finding.outcome == "passed"
    assert finding.figures["requests"] == 3
    assert finding.figures["p50_ms"] == 2
    assert finding.figures["per_second"] == 6
    assert judge_load({**LOAD, "times": []}).outcome == "unverified"
    assert judge_load({**LOAD, "alive": False}).outcome == "failed"
    failed = judge_load({**LOAD, "errors": ["GET /a answered 500"] * 7})
    assert failed.reasons == ("GET /a answered 500 (7 times)",)
    assert failed.figures["errors"] == 7


def test_coverage_is_of_all_lines_or_unknown() -> None:
    assert covered({"a": {"statements": 3, "missing": [1]}, "b": {"statements": 1, "missing": []}}) == 0.75
    assert covered({"a": {"statements": 3, "missing": []}, "b": {"error": "SyntaxError"}}) is None
    assert covered({"a": {"statements": 0, "missing": []}}) is None
    assert covered({}) is None
    assert covered(None) is None


def test_variables_that_a_source_reads() -> None:
    source = (
        "import os\nfrom os import environ, getenv\n"
        "a = os.environ['A']\nb = os.environ.get('B', '1')\nc = os.getenv('C')\nd = environ['D']\ne = getenv('E')\n"
        "os.environ['SET'] = '1'\nname = 'X'\nf = os.environ[name]\n"
        "def g(env):\n    return env.get('G')\n"
    )
    files = [
        FileText(path="app/settings.py", content=source),
        FileText(path="tests/test_a.py", content="import os\nos.environ['T']\n"),
        FileText(path="tests_acceptance/client.py", content="import os\nos.environ['BASE_URL']\n"),
        FileText(path="app/broken.py", content="def ("),
        FileText(path="README.md", content="os.environ['R']"),
    ]
    assert variables_read(files) == {
        name: f"app/settings.py:{line}" for name, line in zip("ABCDEG", (3, 4, 5, 6, 7, 12), strict=True)
    }


def test_incomplete_environments() -> None:
    read = {"PORT": "a.py:1", "TOKEN": "a.py:2", "HOME": "a.py:3"}
    assert list(incomplete({"name": "p", "variables": {"PORT": "80", "TOKEN": "x"}}, read)) == []
    assert list(incomplete({"name": "p", "variables": {"PORT": "eighty"}}, read)) == [
        "environment p: TOKEN, which a.py:2 reads, has no value",
        "environment p: PORT is 'eighty', not a number from 1 to 65535",
    ]


def test_what_an_environment_is_started_with() -> None:
    variables = {"PORT": "80", "DATA_DIR": "/var/lib/x", "HOST": "10.0.0.5", "LOG_LEVEL": "INFO"}
    assert for_start({"variables": variables}) == {"LOG_LEVEL": "INFO"}
    assert for_start({"variables": {"HOST": "0.0.0.0"}}) == {"HOST": "0.0.0.0"}  # noqa: S104


def test_ruff_gets_nothing_from_the_tree() -> None:
    command = ruff_command(LINT_RULES, LINT_IGNORED)
    for flag in ("--isolated", "--ignore-noqa", "--no-respect-gitignore", "--no-cache", "--config=exclude=[]"):
        assert flag in command


def test_limits_for_the_kernel() -> None:
    limits = Limits(memory_mb=2, file_mb=3, processes=4, cpu_s=0)
    assert limits.kernel(processes=True) == {
        "cpu": 1,
        "data": 2 << 20,
        "space": 16 << 20,
        "file": 3 << 20,
        "files": 1024,
        "core": 0,
        "processes": 4,
    }
    assert "processes" not in limits.kernel(processes=False)
