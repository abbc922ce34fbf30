"""contract, health, performance: what the started service shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from botarmy.records import Evidence
from sandbox.api.document import Document
from sandbox.api.judge import judge
from sandbox.api.scenarios import load_plan, scenarios
from sandbox.api.storage import storage_plan, write_operations
from sandbox.checks.evidence import Finding, conclude, not_run
from sandbox.checks.job import Job
from sandbox.layout import Layout
from sandbox.limits import Limits

LIMITS = Limits(wall_s=90, cpu_s=60)
BUDGET_S = 45.0  # for all requests of the contract check
CLIENTS = 4
SECONDS = 1.0
REQUESTS_PER_CLIENT = 250


def document_of(job: Job) -> Document | str:
    """Return the request's OpenAPI document, or why there is none."""
    openapi = job.request.context.get("openapi")
    if not isinstance(openapi, Mapping):
        return "the request has no OpenAPI document"
    try:
        return Document(openapi)
    except (ValueError, TypeError, AttributeError) as error:
        return f"the OpenAPI document cannot be read: {error}"


def served_document(job: Job) -> Document | str:
    """Return the OpenAPI document of a service that can be started, or why the check cannot be done."""
    document = document_of(job)
    if isinstance(document, str) or job.start:
        return document
    return "the request names no start command for the service"


async def check_contract(job: Job) -> Evidence:
    """Call every operation, rightly and wrongly, and hold the answers against the document."""
    document = served_document(job)
    if isinstance(document, str):
        return not_run(job.request.name, "unverified", document)
    planned = scenarios(document)

    def plan(layout: Layout, _: str) -> dict[str, Any]:
        return {"service": job.service(layout), "scenarios": planned, "budget_s": BUDGET_S}

    probed = await job.probe("contract", plan, limits=LIMITS, words=[f"{len(document.operations)} operations"])
    report = probed.report
    if report is None or report["service"]:
        return job.conclude(probed, _not_serving(report, probed.why))
    verdict = judge(document, report["records"])
    failures = list(verdict.failures)
    if not report["alive"]:
        last = f"{report['records'][-1]['method']} {report['records'][-1]['path']}" if report["records"] else "nothing"
        failures.insert(0, f"the service ended while it was called, after {last}: {report['log'][-500:]}")
        verdict.doubts.clear()  # what follows from it says nothing more
    if report["exhausted"]:
        verdict.doubts.append(f"not all requests could be sent within {BUDGET_S:g} s")
    figures = {
        "operations": len(document.operations),
        "called": len(verdict.called),
        "documented": len(verdict.documented),
        "succeeded": len(verdict.succeeded),
        "requests": len(report["records"]),
    }
    return job.conclude(probed, conclude(failures, verdict.doubts, figures=figures, log=_log(report)))


def _log(report: Mapping[str, Any]) -> str:
    lines = [
        f"{record['method']} {record['path']} [{record.get('about') or record['intent']}] -> "
        f"{record.get('status') or record.get('error') or 'not sent'}"
        for record in report.get("records", ())
    ]
    return "\n".join([*lines, "service log:", report["log"]])


def _not_serving(report: Mapping[str, Any] | None, why: str) -> Finding:
    if report is None:
        return conclude([], [f"the service could not be observed to the end: {why}"])
    return conclude([str(report["service"])], log=f"service log:\n{report['log']}")


async def check_health(job: Job) -> Evidence:
    """Start, ask, write, stop, start again, read."""
    if not job.start:
        return not_run(job.request.name, "unverified", "the request names no start command for the service")
    document = document_of(job)
    write, read = ([], None) if isinstance(document, str) else storage_plan(document)

    def plan(layout: Layout, _: str) -> dict[str, Any]:
        return {"service": job.service(layout), "write": write, "read": read}

    probed = await job.probe("health", plan, limits=LIMITS)
    report = probed.report
    if report is None:
        return job.conclude(probed, _not_serving(report, probed.why))
    failures = list(_health_failures(report))
    doubts = [] if failures else list(_health_doubts(report, document))
    names = ("startup_s", "restart_s", "stop_s", "stop_code")
    figures = {name: report[name] for name in names if name in report}
    if "same" in report:
        figures["data_survived"] = report["same"]
    if isinstance(document, Document):
        figures["write_operations"] = write_operations(document)
    return job.conclude(probed, conclude(failures, doubts, figures=figures, log=f"service log:\n{report['log']}"))


def _health_failures(report: Mapping[str, Any]) -> Iterable[str]:
    if report["service"]:
        yield f"{'after a restart with the same DATA_DIR: ' if report['phase'] == 'restart' else ''}{report['service']}"
    if "stop_code" in report and report["stop_code"] is None:
        yield "SIGTERM did not stop the service within the time; it had to be killed"
    elif report.get("stop_code"):
        yield f"SIGTERM stopped the service with exit code {report['stop_code']}; a clean stop exits with 0"
    if report.get("found") and report.get("same") is False:
        after = report["after"]
        yield (
            f"data did not survive a restart: GET {after.get('path')} was {report['before'].get('text', '')[:200]} before "
            f"and answered {after.get('status')} {after.get('text', '')[:200]} after"
        )


def _health_doubts(report: Mapping[str, Any], document: Document | str) -> Iterable[str]:
    if isinstance(document, str):
        yield f"whether data survive a restart was not tried: {document}"
    elif "found" not in report:
        if write_operations(document):
            yield (
                "whether data survive a restart was not tried: the document has operations that write, but none whose row "
                "can be read back (POST and GET of a collection, or GET of a row's own address)"
            )
    elif not report["found"]:
        answers = [*report["written"], report["before"]]
        said = [str(answer.get("status") or answer.get("error") or answer.get("unmet")) for answer in answers]
        yield (
            "whether data survive a restart could not be tried: no row could be made and read back "
            f"(answers: {', '.join(said)})"
        )


async def check_performance(job: Job) -> Evidence:
    """Time requests that read and requests that write; no threshold, the figures speak, but errors fail."""
    document = served_document(job)
    if isinstance(document, str):
        return not_run(job.request.name, "unverified", document)
    load = load_plan(document)

    def plan(layout: Layout, _: str) -> dict[str, Any]:
        return {
            "service": job.service(layout),
            "setup": load.setup,
            "reads": load.reads,
            "writes": load.writes,
            "clients": CLIENTS,
            "seconds": SECONDS,
            "requests_per_client": REQUESTS_PER_CLIENT,
        }

    probed = await job.probe("performance", plan, limits=LIMITS, words=[f"{CLIENTS} clients"])
    report = probed.report
    if report is None or report["service"]:
        return job.conclude(probed, _not_serving(report, probed.why))
    return job.conclude(probed, judge_load(report))


def judge_load(report: Mapping[str, Any]) -> Finding:
    """Return the figures of a load run."""
    times: Sequence[float] = sorted(report["times"])
    errors = Counter(report["errors"])
    failures = [f"{error} ({count} times)" for error, count in errors.most_common(10)]
    if not report["alive"]:
        failures.append(f"the service ended under load: {report['log'][-500:]}")
    if not times:
        return conclude(failures, ["no request could be timed"], figures={"requests": 0, "errors": errors.total()})
    figures = {
        "requests": len(times),
        "p50_ms": percentile(times, 0.50),
        "p95_ms": percentile(times, 0.95),
        "per_second": round(len(times) / report["seconds"], 1) if report["seconds"] else None,
        "errors": errors.total(),
        "writes": report["writes"],
        "refused": report["refused"],
        "clients": CLIENTS,
        "startup_s": report["startup_s"],
    }
    log = "timed in turn:\n" + "\n".join(report["distinct"])
    return conclude(failures, figures=figures, log=log)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile of ascending values, to the microsecond."""
    rank = max(1, -(-len(ordered) * share // 1))
    return round(ordered[int(rank) - 1], 3)
