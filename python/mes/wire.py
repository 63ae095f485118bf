"""A stage as a program: Arrow or JSON lines in, Arrow or JSON lines out, each row before the next is waited for."""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import sys
from typing import TYPE_CHECKING, Any, Iterator, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc

from mes.columns import header, type_of, with_header
from mes.stages import Flow
from mes.tables import END_MARK, STOP_MARK, DataError, parse_json, read, schema_of

if TYPE_CHECKING:
    from mes.stages import Stage

_CHUNK = 1 << 20
_BATCH_ROWS = 8192


class Stopped(Exception):
    """A person ended the day, here or at a tool before."""


class Stdin:
    """The bytes of stdin; remembers the last eight, and ends a wait when a person says so."""

    def __init__(self, fd: int) -> None:
        self.fd, self.held, self.tail, self.closed = fd, b"", b"", False
        self.woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda *_: None)

    def more(self) -> bytes:
        """Waits for what comes next; empty at the end. Raises Stopped."""
        if self.held:
            held, self.held = self.held, b""
            return held
        try:
            ready, _, _ = select.select([self.fd, self.woken], [], [])
        except ValueError:
            ready = []
        if self.woken in ready:
            raise Stopped("stopped")
        data = os.read(self.fd, _CHUNK)
        self.tail = (self.tail + data[-8:])[-8:]
        return data

    def peek(self, count: int) -> bytes:
        """Looks at the next bytes, as many as wanted unless the input ends."""
        looked = b""
        while len(looked) < count and (data := self.more()):
            looked += data
        self.held = looked
        return looked[:count]

    def read(self, count: int = -1) -> bytes:
        """Reads as a binary file does: as many bytes as wanted unless the input ends."""
        parts, wanted = [], count
        while wanted and (data := self.more()):
            if 0 <= wanted < len(data):
                data, self.held = data[:wanted], data[wanted:]
            parts.append(data)
            wanted -= len(data) if wanted > 0 else 0
        return b"".join(parts)

    def close(self) -> None:
        self.closed = True

    def readable(self) -> bool:
        return True


class Out(Protocol):
    """Where rows go; each call hands them on at once."""

    def write(self, batch: pa.RecordBatch, lines: pa.Array | None, made: list[pa.Array]) -> None: ...
    def end(self) -> None: ...
    def stop(self) -> None: ...


class Sink:
    """Stdout as a file that gathers what is written, and hands it on as a whole: no message is ever half out."""

    closed = False

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Gathers bytes."""
        self.parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Hands on what was gathered."""
        data, self.parts = b"".join(self.parts), []
        _put(data)

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True


class ArrowOut:
    """An Arrow stream on stdout. Without its end mark a reader knows that something went wrong."""

    def __init__(self, schema: pa.Schema) -> None:
        self.sink, self.schema = Sink(), schema
        self.writer = pa.ipc.new_stream(pa.PythonFile(self.sink, mode="w"), schema)

    def write(self, batch: pa.RecordBatch, lines: pa.Array | None, made: list[pa.Array]) -> None:
        """Writes rows with their new columns."""
        self.writer.write_batch(pa.RecordBatch.from_arrays([*batch.columns, *made], schema=self.schema))
        self.sink.flush()

    def end(self) -> None:
        """Writes the end mark."""
        self.writer.close()
        self.sink.flush()

    def stop(self) -> None:
        """Says that a person stopped it."""
        self.sink.parts = [STOP_MARK]
        self.sink.flush()


class TextOut:
    """JSON lines on stdout. Lines that came as text stay as they are, to the last digit, but for what is added."""

    def __init__(self, schema: pa.Schema, says: dict[str, Any] | None) -> None:
        self.keys = [(json.dumps(name, ensure_ascii=False) + ":") for name in schema.names]
        if says is not None:
            _put(json.dumps(says, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")

    def write(self, batch: pa.RecordBatch, lines: pa.Array | None, made: list[pa.Array]) -> None:
        """Writes rows with their new columns."""
        if batch.num_rows == 0:
            return
        old = [] if lines is not None else [_text(column) for column in batch.columns]
        keys = self.keys[batch.num_columns :] if lines is not None else self.keys
        cells = [pc.binary_join_element_wise(key, text, "") for key, text in zip(keys, [*old, *map(_text, made)])]
        if lines is not None:
            text = pc.binary_join_element_wise(lines, *cells, ",")
        else:
            text = pc.binary_join_element_wise("{", pc.binary_join_element_wise(*cells, ","), "")
        _put(("}\n".join(text.to_pylist()) + "}\n").encode())

    def end(self) -> None:
        """Text has no end mark."""

    def stop(self) -> None:
        """Nor one for a stop: the exit code says it."""


def _put(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


def _text(column: pa.Array) -> pa.Array:
    """Returns a column as JSON, the shortest decimals that read back to the same bits."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if pa.types.is_timestamp(kind):
        text = pc.strftime(column.cast(pa.timestamp("ns", "UTC")), "%Y-%m-%dT%H:%M:%S")
        text = pc.replace_substring_regex(text, r"\.?0*$", "") if kind.unit != "s" else text
        text = pc.binary_join_element_wise('"', text, 'Z"', "")
    elif pa.types.is_floating(kind):
        text = pc.replace_substring_regex(column.cast(pa.string()), r"^(-?\d+)$", r"\1.0")
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        coded = column.dictionary_encode()
        quoted = [json.dumps(value, ensure_ascii=False) for value in coded.dictionary.to_pylist()]
        text = pa.array(quoted, pa.string()).take(coded.indices)
    elif pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        text = column.cast(pa.string())
    else:
        raise DataError(f"a column of type {kind} has no text form: say --to arrow")
    return pc.fill_null(text, "null")


Piece = tuple[pa.RecordBatch, "pa.Array | None"]


class Rows:
    """What comes in: its columns, what it says of itself, and its batches, with their lines where it was text."""

    def __init__(self, schema: pa.Schema, says: dict[str, Any] | None, pieces: Iterator[Piece], text: bool) -> None:
        self.schema, self.says, self.pieces, self.text = schema, says, pieces, text


def rows_of(source: Stdin) -> Rows:
    """Finds the format of what comes in, by its first bytes."""
    head = source.peek(8)
    if head.startswith(b"\xff\xff\xff\xff"):
        return _arrow(source)
    if head.lstrip().startswith(b"{"):
        return _json(source)
    return _table(read(source.read()))


def _table(table: pa.Table) -> Rows:
    batches = table.to_batches(max_chunksize=_BATCH_ROWS)
    return Rows(table.schema, header(table.schema), ((batch, None) for batch in batches), text=False)


def _arrow(source: Stdin) -> Rows:
    reader = pa.ipc.open_stream(pa.PythonFile(source, mode="r"))

    def pieces() -> Iterator[Piece]:
        try:
            for batch in reader:
                yield batch, None
        except (pa.ArrowInvalid, OSError) as error:
            source.read()
            _whole(source.tail, str(error))
            raise DataError(f"stdin: {error}") from error
        source.read()
        _whole(source.tail, "the Arrow stream has no end mark: whoever wrote it did not finish")

    return Rows(reader.schema, header(reader.schema), pieces(), text=False)


def _whole(tail: bytes, otherwise: str) -> None:
    if tail == STOP_MARK:
        raise Stopped("a person stopped the tool before")
    if tail != END_MARK:
        raise DataError(f"stdin: {otherwise}")


def _lines(source: Stdin) -> Iterator[list[bytes]]:
    """Yields the whole lines that are there, and waits only when all were given."""
    rest = b""
    while data := source.more():
        cut = data.rfind(b"\n") + 1
        if cut:
            yield [line for line in (rest + data[:cut]).split(b"\n") if line.strip()]
            rest = data[cut:]
        else:
            rest += data
    if rest.strip():
        yield [rest]


def _json(source: Stdin) -> Rows:
    groups = _lines(source)
    lines = _first(groups)
    first, says = _object(lines[0]), None
    if "kind" in first and "ts" not in first:
        says, lines = first, lines[1:] or _first(groups)
        first = _object(lines[0])
    # Of a record of a journal its kind is not a column.
    columns = {name: value for name, value in first.items() if name != "kind"}
    open_ones = [name for name, value in columns.items() if value is None and type_of(name) is None]
    typed = schema_of({name: "" if name in open_ones else value for name, value in columns.items()})
    if len(typed) < len(columns):
        raise DataError("stdin: a nested value: rows are flat")

    def pieces() -> Iterator[Piece]:
        group: list[bytes] | None = lines
        while group is not None:
            for start in range(0, len(group), _BATCH_ROWS):
                yield _rows_of_lines(group[start : start + _BATCH_ROWS], typed)
            group = next(groups, None)

    return Rows(typed, says, pieces(), text=True)


def _first(groups: Iterator[list[bytes]]) -> list[bytes]:
    for group in groups:
        if group:
            return group
    raise DataError("stdin: no record, so nobody knows the columns: send empty tables as Arrow")


def _object(line: bytes) -> dict[str, Any]:
    record = json.loads(line)
    if not isinstance(record, dict):
        raise DataError("stdin: a line that is no object")
    return record


def _rows_of_lines(lines: list[bytes], schema: pa.Schema) -> Piece:
    lines = [line.strip() for line in lines]
    if any(not line.endswith(b"}") for line in lines):
        raise DataError("stdin: the record is cut off")
    table = parse_json(pa.py_buffer(b"\n".join(lines)), schema)
    strange = [name for name in table.schema.names if name != "kind" and name not in schema.names]
    if strange:
        raise DataError(f"stdin: key {strange[0]!r} is not in the first record")
    if table.num_rows != len(lines):
        raise DataError("stdin: a line that is no single object")
    batch = table.select(schema.names).combine_chunks().to_batches()[0]
    if any(len(line) < 3 for line in lines):
        raise DataError("stdin: a row without columns")
    # Without their last brace: columns are added there.
    return batch, pa.array([line[:-1].decode() for line in lines], pa.string())


def main(stage: Stage, arguments: list[str] | None) -> int:
    """Runs a stage and returns its exit code."""
    parser = argparse.ArgumentParser(
        description=stage.__doc__ or f"A stage of a pipe: adds {', '.join(f.name for f in stage.fields)}.",
        epilog="Exit codes: 0 done, 1 failed, 2 arguments, 3 data, 4 stopped",
    )
    parser.add_argument("file", nargs="?", help="a table; stdin without one")
    to = "output format; else that of the input, text on a terminal"
    parser.add_argument("--to", choices=["arrow", "jsonl"], help=to)
    asked = parser.parse_args(arguments)
    name = os.path.basename(sys.argv[0]) or stage.__name__
    try:
        return _run(stage, asked)
    except BrokenPipeError:
        return 0  # The reader has had enough.
    except Stopped as stopped:
        print(f"{name}: {stopped}", file=sys.stderr)
        return 4
    except FileNotFoundError:
        print(f"{name}: {asked.file}: no such file", file=sys.stderr)
        return 2
    except (DataError, pa.ArrowInvalid, json.JSONDecodeError, UnicodeDecodeError) as error:
        print(f"{name}: {' '.join(str(error).split())}", file=sys.stderr)
        return 3
    except OSError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1


def _run(stage: Stage, asked: argparse.Namespace) -> int:
    rows = _table(read(asked.file)) if asked.file else rows_of(Stdin(0))
    schema = stage.schema(with_header(rows.schema, rows.says))
    text = asked.to == "jsonl" if asked.to else rows.text or os.isatty(1)
    out: Out = TextOut(schema, header(schema) if rows.text else None) if text else ArrowOut(schema)
    flow = Flow(stage, schema)
    try:
        for batch, lines in rows.pieces:
            out.write(batch, lines, flow.columns(batch))
        out.end()
    except Stopped:
        out.stop()
        raise
    return 0
