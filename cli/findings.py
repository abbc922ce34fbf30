"""What one check of `botarmy doctor` found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How it stands: ok; warn (works, not as well as it could); fail (something that is needed does not work)."""

    ok = "ok"
    warn = "warn"
    fail = "fail"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor: what was looked at, how it stands, and how to mend it."""

    name: str
    level: Level
    text: str
    fix: str = ""


def ok(name: str, text: str) -> Finding:
    """Say that something works."""
    return Finding(name, Level.ok, text)


def warn(name: str, text: str, fix: str = "") -> Finding:
    """Say that something works, but not as well as it could."""
    return Finding(name, Level.warn, text, fix)


def fail(name: str, text: str, fix: str = "") -> Finding:
    """Say that something that is needed does not work."""
    return Finding(name, Level.fail, text, fix)
