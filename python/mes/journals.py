"""A journal's records as tables: what was filled, what was ordered, and what was not done and why."""

from __future__ import annotations

import json
import os
import shlex
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from mes.tables import DataError, first_line
from mes.tools import pipe


class Journal:
    """A journal of mes-bt or of mes-risk | mes-exec. A table is read when it is asked for first.

    The columns and their units are on one page, docs/schema.md. Money is in dollars, times are those of the rows.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(f"{self.path}: no such journal")

    def _table(self, what: str) -> pa.Table:
        return pipe(f"mes-bt table -q {what} {shlex.quote(str(self.path.absolute()))}")

    @cached_property
    def fills(self) -> pa.Table:
        """What was traded, at which price, and why it was closed."""
        return self._table("fills")

    @cached_property
    def orders(self) -> pa.Table:
        """What was asked of the broker."""
        return self._table("orders")

    @cached_property
    def denials(self) -> pa.Table:
        """What was not done: the rule, its value and its limit."""
        return self._table("denials")

    @cached_property
    def statements(self) -> pa.Table:
        """The account as of each row: position, balance, equity."""
        return self._table("statements")

    @cached_property
    def run(self) -> dict[str, Any]:
        """The record that the journal begins with: rules, costs, calendar, and where the rows came from."""
        try:
            record = json.loads(first_line(self.path))
        except (ValueError, OSError) as error:
            raise DataError(f"{self.path}: the run record cannot be read: {error}") from error
        if not isinstance(record, dict) or record.get("kind") != "run":
            raise DataError(f"{self.path}: begins with no run record: is it a journal?")
        return record

    def __repr__(self) -> str:
        return f"<journal {self.path}: fills, orders, denials, statements, run>"


def journal(path: str | os.PathLike[str]) -> Journal:
    """Opens a journal (JSON lines, also as gzip or zstd).

    >>> mes.journal("run/journal.jsonl").denials.group_by("rule").aggregate([([], "count_all")])

    Raises FileNotFoundError where it is not there; its tables raise ToolError where it is none.
    """
    return Journal(path)
