"""What people type to name a gate: "PROJECT", "PROJECT/PHASE", "PROJECT/PHASE@ID", or the beginning of a gate's id.

The forms with an id name one question for ever: a gate binds its versions for good. The other two name whichever is open, so
that another question than the one that was read can answer to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from botarmy.person import POLICY
from botarmy.records import GateRequest

_SHORT = 8
_ID = r"[0-9a-fA-F]{8}[0-9a-fA-F-]{0,28}"
_BY_ID = re.compile(_ID)
_BY_PROJECT = re.compile(rf"(?P<project>[^/@]+)(?:/(?P<phase>.+?))?(?:@(?P<id>{_ID}))?")


class GateAddress(NamedTuple):
    """The parts of an address; phase and beginning of the id may be empty."""

    project: str
    phase: str
    id: str

    def fits(self, gate: GateRequest) -> bool:
        """Whether a gate of the project is one that the address can mean."""
        return (not self.phase or gate.phase.casefold() == self.phase.casefold()) and str(gate.id).startswith(self.id)

    def is_certain(self, gates: Iterable[GateRequest]) -> bool:
        """Whether no other question to a person can have been meant: one gate alone has ever answered to the address.

        Args:
            gates: every gate that the project has had; what the policy decided was never asked.
        """
        return len([gate for gate in gates if gate.decided_by != POLICY and self.fits(gate)]) == 1


def parse_address(text: str) -> GateAddress:
    """Take an address that begins with a project apart; one that does not fit is taken for a project's name."""
    found = _BY_PROJECT.fullmatch(text)
    if found is None:
        return GateAddress(text, "", "")
    return GateAddress(found["project"], found["phase"] or "", (found["id"] or "").lower())


def may_be_an_id(text: str) -> bool:
    """Whether the text can be the beginning of a gate's id."""
    return _BY_ID.fullmatch(text) is not None


def address_of(gate: GateRequest, slug: str) -> str:
    """Return the address that names this question and no other: "books/Build@1a2b3c4d"."""
    return f"{slug}/{gate.phase}@{str(gate.id)[:_SHORT]}"
