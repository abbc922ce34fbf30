"""Trees that would like their tests to count as passed."""

from __future__ import annotations

from typing import Any

import pytest

FAILING = """
import unittest


class WrongTest(unittest.TestCase):
    def test_wrong(self):
        self.assertEqual(1, 2)
"""
HEAD = "import unittest\n"
BROKEN_TEST = "tests/test_wrong.py"


@pytest.fixture
def lean(check: Any) -> Any:
    """Return `check` without the product's slowest test."""

    async def run(name: str, changes: dict[str, Any] | None = None) -> Any:
        return await check(name, {"tests/test_process.py": None, **(changes or {})})

    return run


async def test_a_failing_test_fails_and_is_named(lean: Any) -> None:
    evidence = await lean("tests", {BROKEN_TEST: FAILING})
    assert evidence.outcome == "failed"
    assert evidence.figures["failed"] == 1
    assert evidence.figures["passed"] == 6
    assert {"id": "tests.test_wrong.WrongTest.test_wrong", "outcome": "failed"} in evidence.figures["cases"]
    assert evidence.reasons == (
        "tests.test_wrong.WrongTest.test_wrong (tests/test_wrong.py:6): tests/test_wrong.py:7: AssertionError: 1 != 2",
    )


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("import os\nos._exit(0)\n", "exit code 0 before it reported"),
        ("import sys\nsys.exit(0)\n", "tests/test_wrong.py:2: SystemExit: 0"),
        ("raise KeyboardInterrupt\n", "KeyboardInterrupt"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "before it reported"),
        ("import os\nos.execv('/bin/true', ['true'])\n", "exit code 0 before it reported"),
    ],
)
async def test_ending_the_process_at_import_fails(lean: Any, ending: str, said: str) -> None:
    evidence = await lean("tests", {BROKEN_TEST: ending + FAILING})
    assert evidence.outcome == "failed"
    assert said in " ".join(evidence.reasons)


@pytest.mark.parametrize("ending", ["import os; os._exit(0)", "import sys; sys.exit(0)", "raise KeyboardInterrupt"])
async def test_ending_the_process_within_a_test_fails(lean: Any, ending: str) -> None:
    source = f"{HEAD}class Ends(unittest.TestCase):\n    def test_ends(self):\n        {ending}\n"
    evidence = await lean("tests", {"tests/test_aaa.py": source})
    assert evidence.outcome == "failed"


@pytest.mark.parametrize(
    ("trick", "part"),
    [
        ("unittest.TestCase.assertEqual = lambda *a, **k: None", "TestCase.assertEqual"),
        ("unittest.TestCase.run = lambda self, result: result.addSuccess(self)", "TestCase.run"),
        ("unittest.TestResult.addFailure = lambda *a: None", "TestResult.addFailure"),
        ("unittest.TestCase._callTestMethod = lambda self, method: None", "TestCase._callTestMethod"),
        ("unittest.case._Outcome.testPartExecutor = None", "_Outcome.testPartExecutor"),
        ("unittest.TestSuite.run = lambda self, result, debug=False: result", "TestSuite.run"),
    ],
)
async def test_replacing_parts_of_unittest_is_not_passed(lean: Any, trick: str, part: str) -> None:
    evidence = await lean("tests", {BROKEN_TEST: f"{HEAD}{trick}\n{FAILING}"})
    assert evidence.outcome != "passed"
    assert f"replace {part}," in " ".join(evidence.reasons)


async def test_replacing_for_real_tests_alone_is_seen(lean: Any) -> None:
    trick = """
import unittest
honest = unittest.TestCase.assertEqual
def lenient(self, *a, **k):
    if type(self).__name__ != "WrongTest":
        honest(self, *a, **k)
unittest.TestCase.assertEqual = lenient
"""
    evidence = await lean("tests", {BROKEN_TEST: trick + FAILING})
    assert evidence.outcome == "unverified"
    assert "TestCase.assertEqual" in " ".join(evidence.reasons)


@pytest.mark.parametrize("method", ["run", "assertEqual", "_callTestMethod", "__call__"])
async def test_a_test_class_that_cannot_fail_is_seen(lean: Any, method: str) -> None:
    source = FAILING + f"\n    def {method}(self, *args, **kwargs):\n        return None\n"
    evidence = await lean("tests", {BROKEN_TEST: source})
    assert evidence.outcome == "unverified"
    assert f"WrongTest.{method}" in " ".join(evidence.reasons)


async def test_load_tests_that_hides_tests_is_seen(lean: Any) -> None:
    source = FAILING + "\n\ndef load_tests(loader, tests, pattern):\n    return unittest.TestSuite()\n"
    evidence = await lean("tests", {BROKEN_TEST: source})
    assert evidence.outcome == "unverified"
    assert "tests/test_wrong.py:10: load_tests" in " ".join(evidence.reasons)


async def test_tests_that_are_not_collected_are_seen(lean: Any) -> None:
    evidence = await lean("tests", {"more/test_wrong.py": FAILING})
    assert evidence.outcome == "unverified"
    assert evidence.reasons == (
        "more/test_wrong.py:6: more.test_wrong.WrongTest.test_wrong is declared but was not collected "
        "(is an __init__.py missing beside it?)",
    )


async def test_a_test_that_hides_another_is_seen(lean: Any) -> None:
    source = f"{HEAD}class Two(unittest.TestCase):\n    def test_a(self):\n        self.fail()\n\n    def test_a(self):\n        pass\n"
    evidence = await lean("tests", {BROKEN_TEST: source})
    assert evidence.outcome == "unverified"
    assert "tests/test_wrong.py:6: Two.test_a is defined again (first in line 3)" in evidence.reasons[0]


async def test_deleted_tests_are_seen(lean: Any) -> None:
    evidence = await lean("tests", {BROKEN_TEST: FAILING + "\n\ndel WrongTest.test_wrong\n"})
    assert evidence.outcome == "unverified"


@pytest.mark.parametrize("mark", ["@unittest.skip('later')", "@unittest.expectedFailure"])
async def test_skipped_and_expected_failures_are_not_passed_tests(lean: Any, mark: str) -> None:
    source = FAILING.replace("    def test", f"    {mark}\n    def test")
    evidence = await lean("tests", {BROKEN_TEST: source})
    assert evidence.figures["skipped"] == 1
    assert evidence.figures["passed"] == 6
    only = await lean("tests", {BROKEN_TEST: source, "tests/test_service.py": None, "tests/test_process.py": None})
    assert only.outcome == "unverified"
    assert "every test was skipped" in only.reasons[-1]


async def test_a_setup_that_fails_fails(lean: Any) -> None:
    source = f"{HEAD}class A(unittest.TestCase):\n    @classmethod\n    def setUpClass(cls):\n        raise ValueError('no')\n\n    def test_a(self):\n        pass\n"
    evidence = await lean("tests", {BROKEN_TEST: source})
    assert evidence.outcome == "failed"
    assert "setUpClass" in evidence.reasons[0]
    assert "tests/test_wrong.py:5: ValueError: no" in evidence.reasons[0]


async def test_a_module_that_cannot_be_imported_fails_with_its_place(lean: Any) -> None:
    evidence = await lean("tests", {BROKEN_TEST: "import nothing_of_that_name\n" + FAILING})
    assert evidence.outcome == "failed"
    assert "tests/test_wrong.py:1: ModuleNotFoundError" in evidence.reasons[0]


async def test_no_tests_is_not_passed(lean: Any) -> None:
    evidence = await lean("tests", {"tests/test_service.py": None, "tests/test_process.py": None})
    assert evidence.outcome == "failed"
    assert evidence.exit_code is None


async def test_a_forged_report_does_not_count(lean: Any) -> None:
    forged = """
import glob, json, os
report = json.dumps({"loaded": True, "error": "", "collected": [], "coverage": None, "overridden": [], "planted": [],
                     "replaced": [], "trouble": [], "cases": [{"id": "tests.test_wrong.WrongTest.test_wrong",
                     "outcome": "passed", "message": ""}], "opaque": True, "nonce": "0" * 32}) + "\\n"
for number in range(3, 64):
    try:
        os.write(number, report.encode())
    except OSError:
        pass
"""
    for ending in ("", "os._exit(0)\n"):
        evidence = await lean("tests", {BROKEN_TEST: forged + ending + FAILING})
        assert evidence.outcome == "failed"
        assert "wrote to the report" in evidence.reasons[0]


async def test_endless_tests_end_and_fail(lean: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox.checks import testing  # noqa: PLC0415
    from sandbox.limits import Limits  # noqa: PLC0415

    monkeypatch.setattr(testing, "LIMITS", Limits(wall_s=2))
    source = f"{HEAD}class A(unittest.TestCase):\n    def test_a(self):\n        while True: pass\n"
    evidence = await lean("tests", {BROKEN_TEST: source})
    assert evidence.outcome == "failed"
    assert "longer than 2 s" in evidence.reasons[0]


async def test_threads_that_tests_leave_do_not_hold_the_run(lean: Any) -> None:
    source = f"{HEAD}import threading, time\nclass A(unittest.TestCase):\n    def test_a(self):\n        threading.Thread(target=time.sleep, args=(300,)).start()\n"
    evidence = await lean("tests", {BROKEN_TEST: source})
    assert evidence.outcome == "passed"
    assert evidence.duration_s < 10


SETTINGS = {
    "conftest.py": "import os\nos._exit(0)\n",
    "sitecustomize.py": "import os\nos._exit(0)\n",
    "usercustomize.py": "import os\nos._exit(0)\n",
    "unittest.py": "import os\nos._exit(0)\n",
    "coverage.py": "import os\nos._exit(0)\n",
    "pyproject.toml": "[tool.ruff]\nexclude = ['*']\n[tool.coverage.run]\nomit = ['*']\n[tool.pytest.ini_options]\naddopts = '-k nothing'\n",
    "ruff.toml": "exclude = ['*']\nlint.select = []\n",
    ".ruff.toml": "exclude = ['*']\n",
    ".coveragerc": "[run]\nomit = app/*\n[report]\nexclude_lines = .\n",
    "setup.cfg": "[coverage:run]\nomit = app/*\n",
    "tox.ini": "[coverage:run]\nomit = app/*\n",
    ".gitignore": "*\n",
    ".ignore": "*\n",
}


async def test_the_settings_of_the_tree_do_not_count_for_tests(lean: Any) -> None:
    plain = await lean("tests")
    configured = await lean("tests", {name: text for name, text in SETTINGS.items() if not name.endswith(".py")})
    assert configured.outcome == "passed"
    assert configured.figures["coverage"] == plain.figures["coverage"]


@pytest.mark.parametrize("name", [name for name in SETTINGS if name.endswith(".py")])
async def test_modules_that_tools_would_pick_up_do_not_count(lean: Any, name: str) -> None:
    evidence = await lean("tests", {name: SETTINGS[name], BROKEN_TEST: FAILING})
    assert evidence.outcome == "failed"
    assert evidence.figures["failed"] == 1
    assert evidence.figures["passed"] == 6


async def test_no_cover_comments_do_not_count(lean: Any) -> None:
    plain = await lean("tests")
    unreached = "\n\ndef never():  # pragma: no cover\n    a = 1\n    b = 2\n    c = 3\n    return a + b + c\n"
    evidence = await lean("tests", {"app/extra.py": f'"""Extra."""{unreached}'})
    assert evidence.figures["coverage"] < plain.figures["coverage"]


async def test_coverage_counts_processes_that_tests_start(check: Any) -> None:
    both = await check("tests")
    alone = await check("tests", {"tests/test_process.py": None})
    assert both.figures["coverage"] > alone.figures["coverage"] + 0.1


@pytest.mark.parametrize(
    ("mark", "prefix"),
    [
        ("  # noqa", ""),
        ("  # noqa: F401", ""),
        ("", "# ruff: noqa\n"),
        ("", "# flake8: noqa\n"),
        ("", "# ruff: disable[F401]\n"),
    ],
)
async def test_inline_suppressions_do_not_count(check: Any, mark: str, prefix: str) -> None:
    settings = {name: text for name, text in SETTINGS.items() if not name.endswith(".py")}
    evidence = await check("lint", {**settings, "app/extra.py": f"{prefix}import os{mark}\n"})
    assert evidence.outcome == "failed"
    assert len(evidence.reasons) == 1
    assert evidence.reasons[0].startswith(f"app/extra.py:{1 + prefix.count(chr(10))}: F401 ")


@pytest.mark.parametrize("folder", ["build", ".venv/lib", "node_modules", "dist", ".hidden", "venv"])
async def test_folders_that_tools_leave_out_are_looked_at(check: Any, folder: str) -> None:
    evidence = await check(
        "security", {f"{folder}/extra.py": "import subprocess\nsubprocess.run('ls', shell=True)  # noqa: S602\n"}
    )
    assert evidence.outcome == "failed"
    assert f"{folder}/extra.py:2: S602" in evidence.reasons[0]


SPY = """
import json, os, signal
report = json.dumps({"service": "", "records": [], "exhausted": False, "alive": True, "log": "", "nonce": "0" * 32}) + "\\n"
reached = []
for pid in [name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]:
    for name in ["mem", "environ", *(f"fd/{number}" for number in range(64))]:
        try:
            with open(f"/proc/{pid}/{name}", "r+b" if name == "mem" else "wb" if "fd" in name else "rb", buffering=0) as file:
                reached.append(f"{pid}/{name}")
                if "fd" in name:
                    file.write(report.encode())
        except OSError:
            pass
print("reached", reached, flush=True)
"""


async def test_a_service_cannot_reach_into_its_probe(check: Any) -> None:
    evidence = await check("health", {"app/__init__.py": SPY})
    assert evidence.outcome == "passed", evidence.reasons
    assert "reached ['1/mem', '1/environ']" in evidence.log  # the sandbox's reaper, which holds nothing


async def test_a_service_that_kills_its_probe_is_not_passed(check: Any) -> None:
    kill = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n"
    for name in ("contract", "health", "performance", "acceptance", "config"):
        evidence = await check(name, {"app/__init__.py": kill})
        assert evidence.outcome != "passed"
        assert "before it reported" in evidence.reasons[0]
