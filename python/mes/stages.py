"""A function as a stage: a program that reads rows, adds columns to their right, and keeps the laws of a stage.

Of the laws in tools/README.md ("What a stage is") these are kept here, whatever the function does: a row out for every
row in and before the next is waited for; columns pass on to the last digit; nothing is carried over a change of `seg`;
NaN is null and infinity is an error; what a person stops ends as stopped. That a function looks at no later row, and
gives the same however rows are batched, is its own affair: `mes-check stage -- python3 stage.py` proves it.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Iterator, Union

import pyarrow as pa
import pyarrow.compute as pc

from mes.columns import header, type_of, with_header
from mes.tables import DataError

Column = Union[str, pa.Field]


class Stage:
    """A function with the columns that it makes. Call it with a table, or run it as a program by `main`."""

    def __init__(self, function: Callable[..., Any], columns: tuple[Column, ...], by: str, back: int) -> None:
        if not columns:
            raise ValueError('a stage says which columns it makes: @mes.stage("f_mine")')
        if by not in ("batch", "row"):
            raise ValueError(f'by={by!r} is neither "batch" nor "row"')
        if back < 0 or (back and by == "row"):
            raise ValueError("back counts earlier rows, for a function of a batch; one of a row has its memory")
        self.function, self.by, self.back = function, by, back
        self.fields = [_field(column) for column in columns]
        self.__doc__, self.__name__ = function.__doc__, getattr(function, "__name__", "stage")
        self._remembers = len(inspect.signature(function).parameters) > 1

    def __call__(self, table: pa.Table) -> pa.Table:
        """Returns the table with the columns of this stage to its right, as a pipe through it would.

        Raises DataError where a value cannot be.
        """
        schema = self.schema(table.schema)
        flow = Flow(self, schema)
        # Of one batch a segment, so that the function is called once for each.
        batches = table.combine_chunks().to_batches()
        return pa.Table.from_batches([flow.batch(batch) for batch in batches], schema)

    def schema(self, given: pa.Schema) -> pa.Schema:
        """Returns the columns of what comes out, and what is said of it: one more link in the chain.

        Raises DataError where a column is there already.
        """
        schema = given
        for field in self.fields:
            if given.get_field_index(field.name) >= 0:
                raise DataError(f"column {field.name!r} is there already: has this stage run before?")
            schema = schema.append(field)
        return with_header(schema, self.says(header(given)))

    def says(self, given: dict[str, Any] | None) -> dict[str, Any] | None:
        """Returns the header of what comes out for the header of what came in."""
        if given is None:
            return None
        names = [field.name for field in self.fields]
        kind = "prediction" if "p_dir" in names else given.get("kind")
        if kind == "bar" and any(name.startswith("f_") for name in names):
            kind = "feature"
        settings = {"columns": names, "by": self.by, "back": self.back, "code": self.code()}
        link = {"tool": self._program(), "settings": settings}
        return {**given, "kind": kind, "lineage": [*given.get("lineage", []), link]}

    def _program(self) -> str:
        file = inspect.getsourcefile(inspect.unwrap(self.function))
        return Path(file).name if file and Path(file).exists() else self.__name__

    def code(self) -> str | None:
        """Returns a hash of the file that the function is in, which decides what comes out; None where it has none."""
        try:
            file = inspect.getsourcefile(self.function)
            if file and Path(file).exists():
                source = Path(file).read_bytes()
            else:
                source = inspect.getsource(self.function).encode()
        except (OSError, TypeError):
            return None
        return hashlib.blake2b(source, digest_size=16).hexdigest()

    def main(self, arguments: list[str] | None = None) -> None:
        """Runs it as a program: rows from stdin or files, to stdout, until they end. Exits as the tools do."""
        from mes.wire import main

        sys.exit(main(self, arguments))

    def __repr__(self) -> str:
        return f"<stage {self.__name__}: {', '.join(field.name for field in self.fields)}>"


def stage(*columns: Column, by: str = "batch", back: int = 0) -> Callable[[Callable[..., Any]], Stage]:
    """Makes a stage of a function, which returns the values of `columns`: names, or pyarrow fields of another type.

    `f_*` and `p_*` are float32, `f_*` in [-1, 1]; other names are float64.

    by="batch": the function is given a pyarrow RecordBatch, all of one segment: up to `back` rows that came before, and
    those that are new. It returns a column as long as that (a pyarrow or numpy array, a list), or of several columns a
    dict of them. What it says of the rows before is dropped; the first `back` rows of a segment are null.

        @mes.stage("f_momentum", back=20)
        def momentum(rows):
            close = rows["close"].to_numpy()
            return numpy.concatenate([numpy.zeros(20), numpy.clip((close[20:] - close[:-20]) / 10, -1, 1)])

    by="row": the function is given a row as a dict (`ts` is an int, nanoseconds since 1970) and returns a value, None
    for null, or of several columns a dict.

    A second parameter of either is its memory: an object without attributes, a new one for each segment.

        @mes.stage("f_up", by="row")
        def up(row, memory):
            last, memory.last = getattr(memory, "last", None), row["close"]
            return None if last is None else float(row["close"] > last)
    """
    if len(columns) == 1 and callable(columns[0]):
        raise TypeError('a stage says which columns it makes: @mes.stage("f_mine")')
    return lambda function: Stage(function, columns, by, back)


def _field(column: Column) -> pa.Field:
    if isinstance(column, pa.Field):
        return column
    return pa.field(column, type_of(column) or pa.float64())


class Flow:
    """The rows of one stream through a stage: what it remembers of the segment that it is in."""

    def __init__(self, stage: Stage, schema: pa.Schema) -> None:
        self.stage, self.schema = stage, schema
        self.segment: Any = None
        self._begin()

    def _begin(self) -> None:
        self.memory = SimpleNamespace()
        self.before: pa.RecordBatch | None = None
        self.seen = 0

    def batch(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Returns rows with their new columns. They come after those of the call before."""
        columns = self.columns(batch)
        return pa.RecordBatch.from_arrays([*batch.columns, *columns], schema=self.schema)

    def columns(self, batch: pa.RecordBatch) -> list[pa.Array]:
        """Returns the new columns alone.

        Raises DataError where a value cannot be, with row and column.
        """
        parts = [self._piece(piece) for piece in self._pieces(batch)]
        made = [pa.concat_arrays(values) for values in zip(*parts)] if parts else []
        return made or [pa.array([], field.type) for field in self.stage.fields]

    def _pieces(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Cuts a batch where `seg` changes, and begins anew there."""
        if batch.num_rows == 0:
            return
        if batch.schema.get_field_index("seg") < 0:
            yield batch
            return
        seg = batch["seg"]
        changes = pc.indices_nonzero(pc.not_equal(seg.slice(1), seg.slice(0, len(seg) - 1))).to_pylist()
        starts = [0, *(place + 1 for place in changes)]
        for start, end in zip(starts, [*starts[1:], batch.num_rows]):
            segment = seg[start].as_py()
            if segment != self.segment:
                self.segment = segment
                self._begin()
            yield batch.slice(start, end - start)

    def _piece(self, piece: pa.RecordBatch) -> list[pa.Array]:
        made = self._rows(piece) if self.stage.by == "row" else self._whole(piece)
        for field, values in zip(self.stage.fields, made):
            _check(field, values, piece)
        return made

    def _call(self, given: Any) -> Any:
        return self.stage.function(given, self.memory) if self.stage._remembers else self.stage.function(given)

    def _rows(self, piece: pa.RecordBatch) -> list[pa.Array]:
        names = piece.schema.names
        columns = [_plain(column).to_pylist() for column in piece.columns]
        answers = [self._call(dict(zip(names, values))) for values in zip(*columns)]
        fields = self.stage.fields
        if len(fields) == 1:
            answers = [answer[fields[0].name] if isinstance(answer, dict) else answer for answer in answers]
            return [_array(answers, fields[0])]
        return [_array([None if one is None else one[field.name] for one in answers], field) for field in fields]

    def _whole(self, piece: pa.RecordBatch) -> list[pa.Array]:
        stage, before = self.stage, self.before
        given = piece if before is None else pa.concat_batches([before, piece])
        head = given.num_rows - piece.num_rows
        answer = self._call(given)
        fields = stage.fields
        values = [answer] if len(fields) == 1 and not isinstance(answer, dict) else [answer[f.name] for f in fields]
        made = [_array(column, field).slice(head) for column, field in zip(values, fields)]
        for column, field in zip(made, fields):
            if len(column) != piece.num_rows:
                text = f"{stage.__name__}: {len(column) + head} values of {field.name} for {given.num_rows} rows"
                raise ValueError(f"{text}: one for each row is wanted")
        cold = min(piece.num_rows, max(0, stage.back - self.seen))
        if cold:
            made = [pa.concat_arrays([pa.nulls(cold, column.type), column.slice(cold)]) for column in made]
        self.seen += piece.num_rows
        if stage.back:
            self.before = given.slice(max(0, given.num_rows - stage.back))
        return made


def _plain(column: pa.Array) -> pa.Array:
    """Times as integers: no Python time holds nanoseconds."""
    return column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column


def _array(values: Any, field: pa.Field) -> pa.Array:
    """Returns values as a column; NaN is null, and a float is rounded to the type."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    try:
        column = values if isinstance(values, pa.Array) else pa.array(values, from_pandas=True)
        if pa.types.is_floating(column.type):
            column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
        return column.cast(field.type, safe=not pa.types.is_floating(field.type))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"column {field.name!r}: {error}") from error


def _check(field: pa.Field, values: pa.Array, piece: pa.RecordBatch) -> None:
    """Errors at the first value that no table may hold."""
    if not pa.types.is_floating(values.type):
        return
    wrong, law = pc.is_inf(values), "is infinite"
    if field.name.startswith("f_"):
        wrong, law = pc.greater(pc.abs(values), 1), "is not in [-1, 1]"
    place = pc.index(wrong, True).as_py()
    if place >= 0:
        at = f" of ts {piece['ts'][place].cast(pa.int64())}" if "ts" in piece.schema.names else ""
        raise DataError(f"column {field.name!r}{at}: {values[place].as_py()} {law}")
