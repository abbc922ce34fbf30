"""How large, deep and slow a definition may be. A file that passes a limit is an error, never a crash."""

from __future__ import annotations

from botarmy.records import Record


class Limits(Record):
    """Bounds on files and on rendering.

    Attributes:
        file_bytes: size of one file.
        depth: nesting of one YAML document.
        nodes: YAML values in one document, every use of an alias counted again.
        files: files in one directory.
        chain: templates that extend or include each other in one line.
        output_chars: characters of one rendered text, and of any text built on the way.
        steps: loop rounds, calls and includes of one rendering.
        seconds: wall-clock time of one rendering.
        diagnostics: problems reported for one file; more are counted only.
    """

    file_bytes: int = 1_000_000
    depth: int = 50
    nodes: int = 100_000
    files: int = 2_000
    chain: int = 10
    output_chars: int = 40_000_000
    steps: int = 200_000
    seconds: float = 10.0
    diagnostics: int = 100


LIMITS = Limits()
"""The limits in force unless a caller names others."""
