"""Run the tree's unittest tests and report every case; with a service in front for black-box tests.

The tests run in this process, so a tree written with malice could forge the report; what is held here is what models do
when they cut corners: ending the process, replacing unittest's parts, hiding tests. See docs/sandbox.md.
"""

from __future__ import annotations

import os
import sys
import time
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sandbox.probes.machinery import Machinery, overridden
from sandbox.probes.planted import planted_survivors
from sandbox.probes.recording import Recorder, describe
from sandbox.probes.report import Channel
from sandbox.probes.service import Service, ServiceFailed

# The tree may have packages of these names.
del sys.path[0]
for _name in [name for name in sys.modules if name.split(".")[0] == "sandbox"]:
    del sys.modules[_name]


class Measurement:
    """Coverage of the product's lines, by our settings alone."""

    def __init__(self, plan: dict[str, Any]) -> None:
        sys.path.insert(0, plan["library"])
        import coverage  # noqa: PLC0415 (not before its place is known)

        sys.path.remove(plan["library"])

        here = Path(__file__).resolve().parent
        self._data = str(Path(os.environ["TMPDIR"]) / "coverage" / "data")
        Path(self._data).parent.mkdir(parents=True, exist_ok=True)
        config = str(here / "coverage.ini")
        self._plan = plan
        self._coverage = coverage.Coverage(
            data_file=self._data, config_file=config, source=[plan["app"]], data_suffix=True, messages=False
        )
        os.environ["PYTHONPATH"] = str(here / "measured")
        os.environ["BOTARMY_COVERAGE_LIBRARY"] = plan["library"]
        os.environ["BOTARMY_COVERAGE_DATA"] = self._data
        os.environ["BOTARMY_COVERAGE_CONFIG"] = config
        os.environ["BOTARMY_COVERAGE_SOURCE"] = plan["app"]
        self._coverage.start()

    def finish(self) -> dict[str, Any]:
        """Return statements and missed lines per product file."""
        self._coverage.stop()
        self._coverage.save()
        self._coverage.combine([str(Path(self._data).parent)])
        files: dict[str, Any] = {}
        for name in self._plan["measure"]:
            try:
                _, statements, _, missing, _ = self._coverage.analysis2(str(Path(self._plan["app"]) / name))
            except Exception as error:  # noqa: BLE001 (a file that cannot be parsed is reported as such)
                files[name] = {"error": f"{type(error).__name__}: {error}"}
                continue
            files[name] = {"statements": len(statements), "missing": missing}
        return files


def flatten(suite: Any) -> list[unittest.TestCase]:
    """Return the cases of a suite."""
    if isinstance(suite, unittest.TestSuite):
        return [case for part in suite for case in flatten(part)]
    return [suite]


def execute(plan: dict[str, Any]) -> dict[str, Any]:
    """Load and run the tests."""
    machinery = Machinery()
    measurement = Measurement(plan) if plan["measure"] else None
    recorder = Recorder(plan["top"])
    report: dict[str, Any] = {"loaded": False, "error": "", "collected": [], "coverage": None}
    try:
        suite = unittest.defaultTestLoader.discover(plan["start"], pattern="test*.py", top_level_dir=plan["top"])
        cases = flatten(suite)
        report["collected"] = [case.id() for case in cases]
        report["loaded"] = True
        report["overridden"] = overridden(cases)
        before = planted_survivors(plan["top"])
        unittest.TestSuite.run(suite, recorder)
        report["planted"] = before + planted_survivors(plan["top"])
    except BaseException as error:  # noqa: BLE001 (SystemExit and KeyboardInterrupt of the tree are facts to report)
        report["error"] = describe(error, plan["top"])
    report["replaced"] = machinery.replaced()
    report["cases"] = recorder.cases()
    report["trouble"] = recorder.trouble
    if measurement:
        report["coverage"] = measurement.finish()
    return report


def main() -> None:
    """Start the service if one is wanted, run, report."""
    channel = Channel()
    plan = channel.plan
    os.chdir(plan["top"])
    os.environ.update(plan.get("env", {}))
    sys.path.insert(0, plan["top"])
    service = None
    begun = time.monotonic()
    if plan.get("service"):
        service = Service(plan["service"], Path(plan["service"]["data"]))
        try:
            service.start()
        except ServiceFailed as error:
            service.kill()
            channel.send({"service": str(error)})
            return
        os.environ["BASE_URL"] = service.base_url
    report = execute(plan)
    report["seconds"] = round(time.monotonic() - begun, 3)
    if service:
        report["alive"] = service.alive()
        report["service_log"] = service.tail()
        service.kill()
    sys.stdout.flush()
    channel.send(report)
    os._exit(0)  # threads that a test left must not keep us


if __name__ == "__main__":
    main()
