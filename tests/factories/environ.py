"""The environment of a command under test."""

from __future__ import annotations

from collections.abc import Mapping

_OURS = ("PREFECT_", "BOTARMY_", "DATABASE_URL")


def without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without what points at services or models of whoever runs the tests."""
    return {name: value for name, value in environ.items() if not (name.startswith(_OURS) or "_AGENT_" in name)}
