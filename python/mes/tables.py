"""Whole tables from files and bytes, in whatever format the tools write: told by the first bytes, as they do."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import IO, Any, Union

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.json
import pyarrow.parquet

from mes.columns import INSTANT, type_of, type_of_value, with_header

Bytes = Union[bytes, bytearray, memoryview, pa.Buffer]
Readable = Union[str, "os.PathLike[str]", Bytes, IO[bytes]]

END_MARK = b"\xff\xff\xff\xff\0\0\0\0"
"""What a whole Arrow stream ends with."""
STOP_MARK = b"\xff\xff\xff\xffSTOP"
"""In its place where a person ended the day."""
_DEEPEST = 4


class DataError(ValueError):
    """What was read is damaged, cut off, or none of ours. Says where and what to do."""


def read(what: Readable) -> pa.Table:
    """Reads a whole table: a path, a directory of *.parquet, bytes, or an open binary file.

    Arrow streams and files, Parquet, CSV and JSON lines, each also as gzip or zstd. Columns get the types that their
    names have in the tools; what the rows are and came from is kept in the table's metadata (`mes.meta`). A file
    that was cut off is an error.

    Raises DataError where it cannot be read, OSError where it is not there.
    """
    if isinstance(what, (bytes, bytearray, memoryview, pa.Buffer)):
        return _of_bytes(pa.py_buffer(what), "the bytes")
    if hasattr(what, "read"):
        return _of_bytes(pa.py_buffer(what.read()), str(getattr(what, "name", "the file")))
    path = Path(os.fspath(what))
    if path.is_dir():
        parts = sorted(path.rglob("*.parquet"))
        if not parts:
            raise DataError(f"{path}: a directory without *.parquet")
        return pa.concat_tables([read(part) for part in parts])
    try:
        with pa.memory_map(str(path)) as file:
            return _of_bytes(file.read_buffer(), str(path))
    except pa.ArrowInvalid:  # What cannot be mapped, as a pipe or an empty file.
        return _of_bytes(pa.py_buffer(path.read_bytes()), str(path))


def _of_bytes(data: pa.Buffer, name: str) -> pa.Table:
    try:
        return _decoded(*_unpacked(data, name), name)
    except DataError:
        raise
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, EOFError, ValueError) as error:
        raise DataError(f"{name}: {error}") from error


def _unpacked(data: pa.Buffer, name: str) -> tuple[pa.Buffer, bytes]:
    for _ in range(_DEEPEST):
        head = data.slice(0, min(8, data.size)).to_pybytes()
        if head.startswith(b"\x1f\x8b"):
            data = pa.py_buffer(gzip.decompress(data))
        elif head.startswith(b"\x28\xb5\x2f\xfd"):
            data = pa.CompressedInputStream(pa.BufferReader(data), "zstd").read_buffer()
        elif head.startswith(b"\xef\xbb\xbf"):
            data = data.slice(3)
        else:
            return data, head
    raise DataError(f"{name}: compressed {_DEEPEST} times over: unpack it first")


def first_line(path: Path) -> bytes:
    """Returns the first line of a file of text, also of a packed one, without reading the rest."""
    with open(path, "rb") as file:
        head = file.read(4)
    packing = {b"\x1f\x8b": "gzip", b"\x28\xb5": "zstd"}.get(head[:2])
    with pa.input_stream(str(path), compression=packing) as stream:
        line = b""
        while b"\n" not in line and (more := stream.read(1 << 16)):
            line += more
    return line.split(b"\n", 1)[0]


def _decoded(data: pa.Buffer, head: bytes, name: str) -> pa.Table:
    if not head:
        raise DataError(f"{name}: empty: no header and no rows")
    if head.startswith(b"\xff\xff\xff\xff"):
        tail = data.slice(max(0, data.size - 8)).to_pybytes()
        if tail == STOP_MARK:
            raise DataError(f"{name}: a person stopped whoever wrote it")
        if tail != END_MARK:
            raise DataError(f"{name}: the Arrow stream has no end mark: whoever wrote it did not finish")
        return pa.ipc.open_stream(data).read_all()
    if head.startswith(b"ARROW1"):
        return pa.ipc.open_file(data).read_all()
    if head.startswith(b"PAR1"):
        return _zoned(pa.parquet.read_table(pa.BufferReader(data)))
    if head.startswith(b"DBN"):
        raise DataError(f"{name}: DBN is read by the tools: mes.pipe('mes-bars {name}')")
    if head.lstrip().startswith(b"{"):
        return _json(data, name)
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head):
        return _csv(data)
    raise DataError(f"{name}: neither Arrow, Parquet, CSV nor JSON lines (begins with {head!r})")


def _zoned(table: pa.Table) -> pa.Table:
    """Parquet of other programs may have `ts` in another unit: an instant is one of ours all the same."""
    place = table.schema.get_field_index("ts")
    if place >= 0 and pa.types.is_timestamp(table.schema.field(place).type):
        return table.set_column(place, table.schema.field(place).with_type(INSTANT), table["ts"].cast(INSTANT))
    return table


def _csv(data: pa.Buffer) -> pa.Table:
    end = data.to_pybytes()[:65536].find(b"\n")
    names = data.slice(0, end if end >= 0 else data.size).to_pybytes().decode().strip().split(",")
    types = {name: known for name in names if (known := type_of(name.strip('"'))) is not None}
    options = pa.csv.ConvertOptions(column_types=types, strings_can_be_null=True, null_values=[""])
    return pa.csv.read_csv(pa.BufferReader(data), convert_options=options)


def _json(data: pa.Buffer, name: str) -> pa.Table:
    says, first, at = None, *_line(data, 0)
    if "kind" in first and "ts" not in first:
        if first["kind"] == "run":
            raise DataError(f"{name}: a journal: mes.journal(path) reads it")
        if data.slice(at).to_pybytes().strip():
            says = first
            data = data.slice(at)
            first, _ = _line(data, 0)
    return parse_json(data, schema_of(first)).replace_schema_metadata(with_header(pa.schema([]), says).metadata)


def _line(data: pa.Buffer, start: int) -> tuple[dict[str, Any], int]:
    """Returns the object of the first line that is not empty, and where the next one begins."""
    view = memoryview(data)
    while start < len(view):
        length = 1 << 12
        while (end := bytes(view[start : start + length]).find(b"\n")) < 0 and start + length < len(view):
            length *= 4
        line = bytes(view[start : len(view) if end < 0 else start + end])
        start += len(line) + 1
        if line.strip():
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError("a line that is no object")
            return record, min(start, len(view))
    raise ValueError("no record")


def schema_of(first: dict[str, Any]) -> pa.Schema:
    """Returns the columns of JSON lines by their first record. What is nested, or null and nobody's, is left open."""
    fields = []
    for name, value in first.items():
        known = type_of(name)
        if known is None and not isinstance(value, (dict, list)) and value is not None:
            known = type_of_value(value)
        if known is not None:
            fields.append(pa.field(name, known))
    return pa.schema(fields)


def parse_json(data: pa.Buffer, schema: pa.Schema) -> pa.Table:
    """Reads lines of JSON; columns of `schema` have their types, others one by their values."""
    block = pa.json.ReadOptions(block_size=max(1 << 20, min(data.size, 1 << 27)))
    parse = pa.json.ParseOptions(explicit_schema=schema)
    return pa.json.read_json(pa.BufferReader(data), read_options=block, parse_options=parse)
