"""Purposes deployment_files, environment_config and monitoring_setup: how the product is run and watched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botarmy.artifacts import (
    ApiSpecifications,
    DeploymentFiles,
    Environment,
    EnvironmentConfig,
    Monitor,
    MonitoringSetup,
    ProjectPlan,
    SourceCode,
)
from botarmy.brief import slugify
from botarmy.checks import FileText
from providers.offline.service_hosting import (
    ci_workflow,
    compose_file,
    container_file,
    ignore_file,
    systemd_unit,
    unit_name,
)


def build_deployment_files(inputs: Mapping[str, Any]) -> DeploymentFiles:
    """Write the container, CI and process files, and one example of settings for each environment."""
    plan, source = _read(inputs)
    name = unit_name(slugify(plan.title))
    files = {
        "Dockerfile": container_file(source),
        ".dockerignore": ignore_file(),
        "compose.yaml": compose_file(),
        ".github/workflows/ci.yml": ci_workflow(),
        f"deploy/{name}.service": systemd_unit(name, plan.title, source),
    }
    for environment in _environments(name):
        files[f"deploy/{environment.name}.env.example"] = _settings(environment)
    notes = (
        "Container: docker compose up --build (or podman); the data are in the volume data, the port is open on "
        "loopback only. Stopping sends SIGTERM and waits 10 s.",
        f"systemd: copy the software to /opt/{name}, deploy/production.env.example to /etc/{name}.env and "
        f"deploy/{name}.service to /etc/systemd/system, then systemctl enable --now {name}.",
        "The service has no authentication and speaks plain HTTP: put a proxy with TLS and authentication before it.",
        "Backup: python -m app backup FILE, also while the service runs; restore by stopping the service and putting "
        "FILE in the place of app.db in DATA_DIR, without the app.db-wal and app.db-shm of the old one.",
        "One process per DATA_DIR: SQLite is a file, so a second machine needs a database server first.",
    )
    ordered = tuple(FileText(path=path, content=text) for path, text in sorted(files.items()))
    return DeploymentFiles(files=ordered, notes=notes)


def build_environment_config(inputs: Mapping[str, Any]) -> EnvironmentConfig:
    """Return the settings of development, test and production."""
    plan, _source = _read(inputs)
    return EnvironmentConfig(environments=_environments(unit_name(slugify(plan.title))))


def build_monitoring_setup(inputs: Mapping[str, Any]) -> MonitoringSetup:
    """Return what is to be watched, from when on it is bad, and what to do then."""
    _plan, source = _read(inputs)
    api = ApiSpecifications.model_validate(inputs["api_specifications"])
    writes = sum(len({"post", "put"} & set(item)) for item in api.openapi.get("paths", {}).values())
    monitors = [
        Monitor(
            name="health",
            target=f"GET {source.health_path}",
            condition="no answer with status 200 within 2 s, three times running, 30 s apart",
            action="Read the last log lines. After 'storage failed' look at the disk and at python -m app check; "
            "else restart the service and keep the log.",
        ),
        Monitor(
            name="error rate",
            target='log lines with "event": "request"',
            condition='"status" is 500 or more in over 1 % of the requests of 5 minutes, with at least 50 requests',
            action="Find the line with the trace that has the same request_id; if it began with a new version, go back "
            "to the version before.",
        ),
        Monitor(
            name="latency",
            target='"ms" of the log lines with "event": "request"',
            condition="the 95th percentile of 5 minutes is over 250 ms, with at least 50 requests",
            action="Look for long lists (use limit), a slow disk (writes wait for it) and other load on the machine.",
        ),
        Monitor(
            name="disk",
            target="the file system of DATA_DIR",
            condition="less than 15 % or less than 1 GB is free",
            action="Make room or enlarge the volume before it is full: writes are then answered with 503.",
        ),
        Monitor(
            name="storage",
            target='log lines with "event": "storage failed"',
            condition="any within 5 minutes",
            action="Check disk and permissions of DATA_DIR, run python -m app check, restore the last backup if it "
            "reports damage.",
        ),
        Monitor(
            name="restarts",
            target='log lines with "event": "listening"',
            condition="more than 3 within 10 minutes",
            action="Read what the process wrote before it ended; a wrong setting is named there.",
        ),
        Monitor(
            name="backup",
            target="the newest file made by python -m app backup",
            condition="older than 26 hours, or python -m app check fails on a copy of it",
            action="Run the backup by hand and see why the scheduled one did not.",
        ),
    ]
    if writes:
        refused = Monitor(
            name="refusals",
            target=f'log lines with "event": "request" of the {writes} operations that write',
            condition='"status" is 409 or 422 in over 30 % of the writes of an hour, with at least 50 writes',
            action="A client and the rules disagree: compare what it sends with openapi.json.",
        )
        monitors.insert(2, refused)
    return MonitoringSetup(monitors=tuple(monitors))


def _read(inputs: Mapping[str, Any]) -> tuple[ProjectPlan, SourceCode]:
    return ProjectPlan.model_validate(inputs["project_plan"]), SourceCode.model_validate(inputs["source_code"])


def _environments(name: str) -> tuple[Environment, ...]:
    rows = (
        ("development", "8080", "data", "DEBUG"),
        ("test", "8081", "data-test", "WARNING"),
        ("production", "8080", f"/var/lib/{name}", "INFO"),
    )
    return tuple(
        Environment(
            name=environment,
            variables={"HOST": "127.0.0.1", "PORT": port, "DATA_DIR": folder, "LOG_LEVEL": level},
        )
        for environment, port, folder, level in rows
    )


def _settings(environment: Environment) -> str:
    lines = [f"{name}={value}" for name, value in environment.variables.items()]
    return "\n".join(
        [f"# Settings of {environment.name}; README.md says what they mean. There are no secrets.", *lines, ""]
    )
