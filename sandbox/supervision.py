"""Watching one child process: its output, its report, its time and its memory; ending it with all it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator, Sequence
from pathlib import Path

from sandbox.limits import MIB, Execution, Limits

WATCH_S = 0.1
POLL_S = 0.01
KILL_S = 5.0  # for what was killed to be gone
CHUNK = 65_536
PAGE = os.sysconf("SC_PAGE_SIZE")


class ReportPipe:
    """A pipe through which a probe reports; only the process that we start gets the writing end."""

    def __enter__(self) -> ReportPipe:
        self.reader, self.writer = os.pipe()
        return self

    def __exit__(self, *_: object) -> None:
        self.close_writer()
        with contextlib.suppress(OSError):
            os.close(self.reader)

    def close_writer(self) -> None:
        """Close our copy of the writing end, so that the reader sees the end."""
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1


class Lifeline:
    """A pipe that nobody writes to and whose writing end is ours alone: its reader reads the end once we are gone.

    The parent's death is also what bubblewrap's --die-with-parent waits for, but only from the moment at which it has
    asked the kernel to be told. A death before that moment goes unnoticed by it; `launch/limit.py`, which comes after
    it and before the command, sees it here.
    """

    def __enter__(self) -> Lifeline:
        self.reader, self.writer = os.pipe()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.reader)
        os.close(self.writer)


class Stream:
    """A bounded collection of what a stream yields."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.data = bytearray()
        self.over = False

    def feed(self, chunk: bytes) -> bool:
        """Take a chunk; return whether there may be more."""
        self.data += chunk[: self.limit - len(self.data)]
        self.over = self.over or (len(chunk) > 0 and len(self.data) >= self.limit)
        return not self.over

    def text(self) -> str:
        """Return the text; what is not UTF-8 is replaced."""
        return self.data.decode("utf-8", "replace")


class Supervisor:
    """One run under watch."""

    def __init__(self, process: Process, limits: Limits) -> None:
        self.process = process
        self.limits = limits
        self.stopped = ""

    def stop(self, why: str) -> None:
        """End the whole group and remember the first reason."""
        self.stopped = self.stopped or why
        end_group(self.process.pid)

    async def ended(self, within_s: float) -> bool:
        """Return whether the process ends in time.

        `Process.wait` would also wait for the pipes, which anything that the process started may keep open.
        """
        until = time.monotonic() + within_s
        while self.process.returncode is None:
            if time.monotonic() > until:
                return False
            await asyncio.sleep(POLL_S)
        return True

    async def collect(self, reader: asyncio.StreamReader, stream: Stream, name: str) -> None:
        """Read to the end; too much ends the run, and is still read so that nothing waits for a full pipe."""
        while chunk := await reader.read(CHUNK):
            if not stream.feed(chunk):
                self.stop(f"more than {stream.limit} bytes of {name}")

    async def write(self, data: bytes) -> None:
        """Hand over the standard input; a command that does not read it is no error."""
        writer = self.process.stdin
        if writer is None:
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def watch_memory(self) -> None:
        """End the run when all its processes together use too much; the kernel only limits each one."""
        limit = self.limits.memory_mb * MIB
        while True:
            await asyncio.sleep(WATCH_S)
            if private_memory(self.process.pid) > limit:
                self.stop(f"more than {self.limits.memory_mb} MB of memory")


async def supervise(
    words: Sequence[str],
    limits: Limits,
    isolation: str,
    *,
    lifeline: Lifeline,
    stdin: bytes = b"",
    pipe: ReportPipe | None = None,
    mark: str = "",
) -> Execution:
    """Run a command to its end or to a limit, and leave nothing of it behind.

    Args:
        words: the whole command.
        limits: wall time, memory, output and report are held here; the rest inside.
        isolation: what the execution says of its walls.
        lifeline: by which the command is told from one that we did not live to see.
        stdin: what the command reads.
        pipe: where the report comes from.
        mark: what the environment of all that it starts holds, where there are no walls to end it by.
    """
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env={},
        cwd="/",
        start_new_session=True,
        pass_fds=(lifeline.reader, pipe.writer) if pipe else (lifeline.reader,),
    )
    supervisor = Supervisor(process, limits)
    streams = (Stream(limits.output_bytes), Stream(limits.output_bytes), Stream(limits.report_bytes))
    tasks: list[asyncio.Task[None]] = []
    try:
        watcher = asyncio.create_task(supervisor.watch_memory())
        tasks = [watcher, *await _readers(supervisor, streams, stdin, pipe)]
        timed_out = not await supervisor.ended(limits.wall_s)
        if timed_out:
            supervisor.stop(f"longer than {limits.wall_s:g} s")
            await supervisor.ended(KILL_S)
        end_group(process.pid)
        end_marked(mark)
        await asyncio.wait(tasks[1:], timeout=KILL_S)
    finally:
        end_group(process.pid)
        end_marked(mark)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    out, err, report = streams
    return Execution(
        exit_code=process.returncode if process.returncode is not None else -signal.SIGKILL,
        stdout=out.text(),
        stderr=err.text(),
        duration_s=time.monotonic() - begun,
        timed_out=timed_out,
        truncated=any(stream.over for stream in streams),
        isolation=isolation,
        stopped=supervisor.stopped,
        report=bytes(report.data),
    )


async def _readers(
    supervisor: Supervisor, streams: tuple[Stream, Stream, Stream], stdin: bytes, pipe: ReportPipe | None
) -> list[asyncio.Task[None]]:
    process = supervisor.process
    if process.stdout is None or process.stderr is None:
        raise RuntimeError("the child process has no pipes")
    out, err, report = streams
    jobs = [
        supervisor.write(stdin),
        supervisor.collect(process.stdout, out, "output"),
        supervisor.collect(process.stderr, err, "error output"),
    ]
    if pipe:
        pipe.close_writer()
        reader = asyncio.StreamReader()
        source = os.fdopen(pipe.reader, "rb", buffering=0, closefd=False)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), source)
        jobs.append(supervisor.collect(reader, report, "report"))
    return [asyncio.create_task(job) for job in jobs]


def end_group(pid: int) -> None:
    """Kill a process group that we started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def end_marked(mark: str) -> None:
    """Kill every process whose environment holds a text: without walls, the only trace of what left its group."""
    if not mark:
        return
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark.encode() in path.read_bytes() and int(path.parent.name) != os.getpid():
                os.kill(int(path.parent.name), signal.SIGKILL)


def descendants(pid: int) -> Iterator[int]:
    """Yield a process and all that came from it."""
    waiting = [pid]
    while waiting:
        current = waiting.pop()
        yield current
        for children in Path(f"/proc/{current}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                waiting += [int(word) for word in children.read_text().split()]


def private_memory(pid: int) -> int:
    """Return the bytes that a process and its descendants hold for themselves alone; 0 where the system cannot say."""
    total = 0
    for process in descendants(pid):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = Path(f"/proc/{process}/statm").read_text().split()
            total += (int(fields[1]) - int(fields[2])) * PAGE
    return total
