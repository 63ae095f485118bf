"""Finds the tools and runs pipes of them: bash runs the line, rows come and go as Arrow."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
from collections import deque
from pathlib import Path
from typing import IO, Union

import pyarrow as pa
import pyarrow.ipc

from mes.tables import DataError, read

Rows = Union[pa.Table, pa.RecordBatch, pa.RecordBatchReader]
_LAST_LINES = 20


class ToolError(RuntimeError):
    """A tool of a pipe ended with another exit code than 0.

    `code` is that of the last one that did: 1 failed (a retry may help), 2 arguments or rules,
    3 the data, 4 stopped on purpose; `said` is the end of what came on stderr, from all of them.
    """

    def __init__(self, command: str, code: int, said: str) -> None:
        self.command, self.code, self.said = command, code, said
        super().__init__(f"{said or 'nothing was said'} (exit code {code} of: {command})")


def folders() -> list[Path]:
    """Returns the folders in which tools are looked for before the PATH."""
    named = os.environ.get("MES_BIN")
    scripts = sysconfig.get_path("scripts")
    places = [Path(named)] if named else []
    places += [Path(__file__).parent / "bin", *([Path(scripts)] if scripts else [])]
    return [place for place in places if (place / "mes-bars").exists()]


def _environment() -> dict[str, str]:
    path = os.pathsep.join([*map(str, folders()), os.environ.get("PATH", os.defpath)])
    # Stages in the pipe find this module where it was found.
    python = os.pathsep.join([str(Path(__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PATH": path, "PYTHONPATH": python}


def pipe(command: str, rows: Rows | None = None, *, cwd: str | os.PathLike[str] | None = None) -> pa.Table:
    """Runs a pipe, as bash does, and returns the table that its last tool writes.

    `rows` go to the stdin of the first tool. Notes of the tools go to stderr as they come.

    >>> mes.pipe("mes-bars day.csv | mes-features")
    >>> mes.pipe("mes-predict --rule ema-cross | mes-bt table fills", rows=features)

    Raises ToolError where a tool fails, DataError where what comes is no table, TypeError where rows are none of Arrow.
    """
    written = run(command, rows, cwd=cwd)
    try:
        return read(written)
    except DataError as error:
        # What is damaged has no cause, and says itself what to do.
        if error.__cause__ is None:
            raise
        raise DataError(f"{command}: no table: mes.run gives bytes ({error})") from error


def run(command: str, rows: Rows | None = None, *, cwd: str | os.PathLike[str] | None = None) -> bytes:
    """Runs a pipe, as `mes.pipe` does, and returns the bytes that it writes: `json.loads(mes.run("mes-bt day.arrow"))`.

    Raises ToolError where a tool fails, TypeError where rows are none of Arrow.
    """
    if rows is not None and not isinstance(rows, (pa.Table, pa.RecordBatch, pa.RecordBatchReader)):
        name = f"{type(rows).__module__}.{type(rows).__name__}"
        raise TypeError(f"rows: {name} is no Arrow table: give pa.Table.from_pandas(df) of a pandas frame")
    # A socket and no pipe: tools ask who reads a pipe, and write text for a program that is none of them.
    ours, theirs = socket.socketpair()
    last: deque[str] = deque(maxlen=_LAST_LINES)
    with ours, theirs:
        process = subprocess.Popen(
            ["bash", "-o", "pipefail", "-c", command],
            stdin=subprocess.DEVNULL if rows is None else subprocess.PIPE,
            stdout=theirs.fileno(),
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=_environment(),
            start_new_session=True,
        )
        theirs.close()
        threads = [threading.Thread(target=_relay, args=(process.stderr, last), daemon=True)]
        if rows is not None:
            threads.append(threading.Thread(target=_give, args=(rows, process.stdin), daemon=True))
        for thread in threads:
            thread.start()
        try:
            with ours.makefile("rb") as file:
                written = file.read()
            code = process.wait()
            threads[0].join()
        except BaseException:
            _end(process)
            raise
    if code != 0:
        raise ToolError(command, code, "\n".join(last))
    return written


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends what was started, and all that it started, as ^C would."""
    try:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=5)
    except (ProcessLookupError, subprocess.TimeoutExpired):
        process.kill()


def _relay(stderr: IO[bytes] | None, last: deque[str]) -> None:
    assert stderr is not None
    with stderr:
        for line in stderr:
            text = line.decode(errors="replace").rstrip()
            last.append(text)
            print(text, file=sys.stderr, flush=True)


def _give(rows: Rows, stdin: IO[bytes] | None) -> None:
    assert stdin is not None
    try:
        with stdin, pa.ipc.new_stream(stdin, rows.schema) as writer:
            for batch in [rows] if isinstance(rows, pa.RecordBatch) else _batches(rows):
                writer.write_batch(batch)
    except (BrokenPipeError, OSError):
        pass  # The tool has had enough; if that was a failure, its exit code says so.


def _batches(rows: pa.Table | pa.RecordBatchReader) -> list[pa.RecordBatch] | pa.RecordBatchReader:
    return rows.to_batches(max_chunksize=8192) if isinstance(rows, pa.Table) else rows
