"""How a probe gets its plan and gives its report.

The code under judgement runs beside us under the same uid. So the probe makes itself opaque (other processes cannot read
its memory or its descriptors), keeps the descriptor from its children, and signs its one report with the plan's nonce.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

PR_SET_DUMPABLE = 4


class Channel:
    """The plan that came in and the report that goes out.

    Attributes:
        plan: what the host wants.
        opaque: whether other processes are kept from reading this one.
    """

    def __init__(self) -> None:
        descriptor = os.environ.pop("REPORT_FD", "")
        if not descriptor:
            raise SystemExit("this program is started by the sandbox")
        self._descriptor = int(descriptor)
        os.set_inheritable(self._descriptor, False)
        self.opaque = hide()
        self.plan: dict[str, Any] = json.loads(sys.stdin.buffer.read())
        self._nonce = self.plan.pop("nonce")
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)

    def send(self, report: Mapping[str, Any]) -> None:
        """Write the report, once, and close."""
        line = json.dumps({**report, "opaque": self.opaque, "nonce": self._nonce}) + "\n"
        with os.fdopen(self._descriptor, "w", encoding="utf-8") as stream:
            stream.write(line)


def hide() -> bool:
    """Keep other processes of this uid from reading this one's memory and descriptors; return whether that worked."""
    try:
        import ctypes  # noqa: PLC0415 (some builds of Python lack it)

        libc = ctypes.CDLL(None, use_errno=True)
        return bool(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
    except (ImportError, OSError, AttributeError):
        return False
