"""What a run may use, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """The most that one run may use.

    Attributes:
        wall_s: seconds until everything is killed.
        cpu_s: processor seconds of each process.
        memory_mb: memory of each process (enforced by the kernel) and of all together (watched, see runner).
        processes: processes and threads at one time.
        file_mb: size of each file, and of the whole scratch space.
        output_bytes: of standard output, and the same of standard error; more ends the run.
        report_bytes: of a probe's report; more ends the run.
    """

    wall_s: float = 60
    cpu_s: int = 60
    memory_mb: int = 512
    processes: int = 64
    file_mb: int = 64
    output_bytes: int = 200_000
    report_bytes: int = 16_000_000

    def kernel(self, *, processes: bool) -> dict[str, int]:
        """Return the limits that the kernel enforces, as launch/limit.py takes them.

        The address space is only a backstop for shared mappings: allocators reserve far more of it than they use.
        """
        limits = {
            "cpu": max(1, int(self.cpu_s)),
            "data": self.memory_mb * MIB,
            "space": self.memory_mb * MIB * 8,
            "file": self.file_mb * MIB,
            "files": 1024,
            "core": 0,
        }
        if processes:
            limits["processes"] = self.processes
        return limits


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Execution:
    """What came of a run.

    Attributes:
        exit_code: of the command; 128 + signal or negative when it was killed.
        timed_out: the wall time was used up.
        truncated: more output than allowed was produced; the run was ended.
        isolation: e.g. "bubblewrap 0.11.0", or "none".
        stopped: why we ended the run, a phrase for a person; empty when it ended by itself.
        report: what a probe wrote to its report descriptor.
    """

    exit_code: int
    stdout: str
    stderr: str
    duration_s: float
    timed_out: bool
    truncated: bool
    isolation: str
    stopped: str = ""
    report: bytes = b""

    @property
    def isolated(self) -> bool:
        """Whether the code ran behind walls."""
        return self.isolation != "none"
