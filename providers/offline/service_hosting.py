"""The texts of the files that run the product: container, compose, CI, systemd."""

from __future__ import annotations

import json
from collections.abc import Sequence

from botarmy.artifacts import SourceCode
from providers.offline.service_tests import UNIT_TESTS
from providers.offline.service_text import one_line

PYTHONS = ("3.11", "3.12", "3.13")
IMAGE = "python:3.12-slim"
PORT = 8080
REQUIREMENTS = "requirements.txt"


def unit_name(slug: str) -> str:
    """Return a name for the unit and its folders: lower-case ASCII letters, digits and hyphens, a letter first."""
    name = "".join(letter for letter in slug.lower() if letter.isascii() and (letter.isalnum() or letter == "-"))
    name = name.strip("-")
    return name if name[:1].isalpha() else f"app-{name}".strip("-")


def container_file(source: SourceCode) -> str:
    """Return the Dockerfile: an unprivileged user, data in a volume, a health check."""
    places = sorted({file.path.split("/")[0] for file in source.files if not file.path.startswith((".", "tests/"))})
    copies = "".join(f"COPY {json.dumps([place, place])}\n" for place in places)
    needed = any(file.path == REQUIREMENTS for file in source.files)
    install = f"RUN pip install --no-cache-dir -r {REQUIREMENTS}\n" if needed else ""
    probe = f"urlopen('http://127.0.0.1:' + os.environ['PORT'] + {source.health_path!r}, timeout=2)"
    command = json.dumps(["python", "-c", f"import os; from urllib.request import urlopen; {probe}"])
    return (
        f"FROM {IMAGE}\n\n"
        f"ENV PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT={PORT} DATA_DIR=/data LOG_LEVEL=INFO\n"
        "WORKDIR /srv\n"
        "RUN useradd --system --uid 10001 --no-create-home app && mkdir /data && chown app /data\n"
        f"{copies}{install}"
        f"\nUSER 10001\nVOLUME /data\nEXPOSE {PORT}\nSTOPSIGNAL SIGTERM\n"
        f"HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 CMD {command}\n"
        f"CMD {json.dumps(list(source.start))}\n"
    )


def ignore_file() -> str:
    """Return .dockerignore: nothing of the working copy but the software goes into the image."""
    return "\n".join([".git", "**/__pycache__", "data", "data-*", "*.db", "*.env", "tests", "tests_acceptance", ""])


def compose_file() -> str:
    """Return compose.yaml: read-only but for the data, no privileges, loopback only."""
    return f"""\
services:
  app:
    build: .
    init: true
    environment:
      HOST: 0.0.0.0
      PORT: "{PORT}"
      DATA_DIR: /data
      LOG_LEVEL: INFO
    ports:
      - "127.0.0.1:{PORT}:{PORT}"
    volumes:
      - data:/data
    read_only: true
    tmpfs:
      - /tmp
    cap_drop:
      - ALL
    security_opt:
      - no-new-privileges:true
    restart: unless-stopped
    stop_grace_period: 10s

volumes:
  data:
"""


def ci_workflow() -> str:
    """Return the GitHub Actions workflow: compile, test on every supported Python, build the image."""
    versions = ", ".join(f'"{version}"' for version in PYTHONS)
    return f"""\
name: ci

on:
  push:
  pull_request:

permissions:
  contents: read

jobs:
  test:
    runs-on: ubuntu-latest
    timeout-minutes: 10
    strategy:
      matrix:
        python: [{versions}]
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: ${{{{ matrix.python }}}}
      - run: python -m compileall -q .
      - run: {UNIT_TESTS.replace("python", "python -W error::SyntaxWarning", 1)}

  image:
    runs-on: ubuntu-latest
    timeout-minutes: 10
    steps:
      - uses: actions/checkout@v4
      - run: docker build --tag app .
"""


def systemd_unit(name: str, title: str, source: SourceCode) -> str:
    """Return the unit: a user of its own, a state folder, as little as possible of the system."""
    return f"""\
[Unit]
Description={_plain(title)}
After=network.target

[Service]
ExecStart={_command(source.start)}
WorkingDirectory=/opt/{name}
EnvironmentFile=/etc/{name}.env
Environment=PYTHONDONTWRITEBYTECODE=1
DynamicUser=yes
StateDirectory={name}
Restart=on-failure
RestartSec=2
TimeoutStopSec=10
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=strict
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictSUIDSGID=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
"""


def _plain(title: str) -> str:
    """Systemd reads % as a specifier and a backslash at the end of a line as its continuation."""
    return one_line(title).replace("\\", "/").replace("%", "%%")[:200] or "Service"


def _command(start: Sequence[str]) -> str:
    program = "/usr/bin/python3" if start[0] in {"python", "python3"} else f"/usr/bin/env {_word(start[0])}"
    return " ".join([program, *(_word(word) for word in start[1:])])


def _word(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return escaped if word.replace("-", "").replace(".", "").replace("_", "").isalnum() else f'"{escaped}"'
