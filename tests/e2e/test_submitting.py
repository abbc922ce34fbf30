"""Runs that are handed in: by plain Prefect commands, and to the work queue of their priority."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.factories.product import ROOT, Product

PRIORITIES = ("critical", "default", "low")


def in_shell(services: Product, line: str, *, text: str | None = None) -> None:
    """Run a shell line after the export line that `up` prints; $PY is the interpreter."""
    environ = {key: value for key, value in services.environ.items() if key != "PREFECT_HOME"} | {"PY": sys.executable}
    export = json.loads((services.home / "services.json").read_text("utf-8"))["export"]
    done = subprocess.run(
        ["/bin/sh", "-c", f"{export}; {line}"],
        env=environ,
        cwd=ROOT,
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def begun(services: Product, *projects: str) -> None:
    """See that each project has come to its first gate, and cancel it."""
    for name in projects:
        services.gate(name, "Discovery")
        services.run("cancel", name, "--by", "Ann")


def test_plain_prefect_commands_work_after_the_printed_export_line(services: Product) -> None:
    run = '"$PY" -m prefect deployment run sdlc/default'
    in_shell(services, f'{run} -p brief="A book has a required title." -p name=one-line')
    to_json = """"$PY" -c 'import json, sys; print(json.dumps({"brief": sys.stdin.read(), "name": "a-file"}))'"""
    in_shell(services, f"{to_json} | {run} --params -", text='# "Books"\nA book\'s\n')
    begun(services, "one-line", "a-file")


def test_a_priority_is_a_work_queue(services: Product) -> None:
    made = {each: services.submit(f"queued-{each}", "--priority", each) for each in PRIORITIES}
    for priority, run in made.items():
        assert services.api("GET", f"/flow_runs/{run['flow_run_id']}")["work_queue_name"] == priority
    begun(services, *(f"queued-{each}" for each in PRIORITIES))
