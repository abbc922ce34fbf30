"""The words that CHECK constraints allow; the migrations spell them out, and a test holds both equal."""

from __future__ import annotations

from botarmy.records import Status

STATUSES = tuple(status.value for status in Status)
OPEN_STATUSES = ("pending", "running", "waiting")
"""An attempt with one of these is open: recovery goes on with it."""
FINAL_STATUSES = ("rejected", "completed", "failed", "stopped", "cancelled")
"""An attempt with one of these never changes again."""
GATE_STATUSES = ("waiting", "approved", "rejected", "cancelled")
GATE_KINDS = ("approval", "questions", "budget", "conflict")
EVIDENCE_OUTCOMES = ("passed", "failed", "unverified")
SCOPES = ("project", "phase", "role")
RESOLUTIONS = ("open", "mediated", "escalated", "resolved")
