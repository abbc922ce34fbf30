"""Near matches: what somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

SHOWN = 12


def near_match(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the known name that is most like `word`, or None."""
    by_fold = {name.casefold(): name for name in sorted(known, reverse=True)}
    found = get_close_matches(word.casefold(), sorted(by_fold), n=1, cutoff=cutoff)
    return by_fold[found[0]] if found else None


def suggestion(word: str, known: Iterable[str], what: str = "known") -> str:
    """Return a hint: the near match if there is one, else the names there are."""
    names = sorted(set(known))
    near = near_match(word, names)
    if near is not None:
        return f'Did you mean "{near}"?'
    if not names:
        return f"There is no {what} yet."
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{what.capitalize()}: {', '.join(names[:SHOWN])}{rest}."


def one_off(word: str, other: str) -> bool:
    """Say whether two words differ by one letter more, less, changed, or two swapped."""
    if word == other or abs(len(word) - len(other)) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
    tails = word[start:], other[start:]
    swapped = tails[0][:2] == tails[1][1::-1] and tails[0][2:] == tails[1][2:]
    return swapped or tails[0][1:] == tails[1] or tails[0] == tails[1][1:] or tails[0][1:] == tails[1][1:]
