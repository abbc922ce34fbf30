"""Who decides: a person, by a name as claimed, or the policy. Neither can be taken for the other.

Every door for people (form, REST, command line) and the store hold names against the one rule here.
"""

from __future__ import annotations

import re
import unicodedata

from botarmy.errors import InputError
from botarmy.unsafe_text import UNSAFE, visible_line

POLICY = "policy:auto"
"""Who decides where the evidence decides; never a person's name."""

NAME_LIMIT = 100

_POSES = re.compile(r"policy(?!\w)")
_FILLERS = "\u115f\u1160\u3164\uffa0"  # letters that show as nothing


def person_name(claimed: str) -> str:
    """Return the name of a person who decides, without blanks around it.

    Raises:
        InputError: it is empty, too long, of more than one line, holds a character that acts on a screen, or poses as
            a policy, also in letters that only look like it.
    """
    name = claimed.strip()
    seen = _as_seen(name)
    hint = f"Give one line of 1 to {NAME_LIMIT} characters; on the command line with --by or BOTARMY_BY."
    if not seen:
        raise InputError("A decision needs the name of who decides.", hint=hint)
    if len(name) > NAME_LIMIT or UNSAFE.search(name) or set(name) & set("\n\t"):
        shown = visible_line(name)[:NAME_LIMIT]
        raise InputError(f'The name of the person who decides cannot be used: "{shown}".', hint=hint)
    if _POSES.match(seen):
        raise InputError(
            f'"{name}" is not a person\'s name.', hint="Decisions of a policy are made by the policy alone."
        )
    return name


def _as_seen(name: str) -> str:
    """Return what a reader compares: no blanks, marks or invisible characters, one form and case of each letter."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    return "".join(char for char in folded if unicodedata.category(char)[0] not in "CZM" and char not in _FILLERS)
