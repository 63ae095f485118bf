"""What columns are called and which type a name has: the same rules as in the tools (`mes-bars --schema`)."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

INSTANT = pa.timestamp("ns", tz="UTC")
_PRICES = {"price", "bid", "ask", "open", "high", "low", "close", "vwap"}
_COUNTS = {
    "size", "bid_size", "ask_size", "volume", "buy_volume", "sell_volume", "trades", "ofi", "age_ms", "seg"
}  # fmt: skip
_TYPES: dict[str, pa.DataType] = {
    "ts": INSTANT,
    "ts_event": INSTANT,
    "entered": INSTANT,
    "exited": INSTANT,
    "side": pa.string(),
    "symbol": pa.string(),
    "y_dir": pa.int8(),
    "y_barrier": pa.int8(),
    **dict.fromkeys(_PRICES, pa.float64()),
    **dict.fromkeys(_COUNTS, pa.int64()),
}

KEY = b"mes"
"""Under which an Arrow schema carries what the rows are: the header of JSON lines."""


def type_of(name: str) -> pa.DataType | None:
    """Returns the type that a column of this name has; None where the name is nobody's."""
    if name in _TYPES:
        return _TYPES[name]
    return pa.float32() if name.startswith(("f_", "y_", "p_")) else None


def type_of_value(value: Any) -> pa.DataType:
    """Returns the type of a column that is nobody's by its first value, as the tools do."""
    if isinstance(value, bool):
        return pa.bool_()
    if isinstance(value, int):
        return pa.int64()
    return pa.float64() if isinstance(value, float) else pa.string()


def header(schema: pa.Schema) -> dict[str, Any] | None:
    """Returns what a schema says its rows are, or None where it says nothing."""
    text = (schema.metadata or {}).get(KEY)
    return None if text is None else json.loads(text)


def with_header(schema: pa.Schema, says: dict[str, Any] | None) -> pa.Schema:
    """Returns a schema that says what its rows are."""
    if says is None:
        return schema.remove_metadata()
    return schema.with_metadata({KEY: json.dumps(says, separators=(",", ":"))})


def meta(table: pa.Table | pa.RecordBatch | pa.Schema) -> dict[str, Any]:
    """Returns what a table says of itself: kind, interval, session, and the lineage of its rows; empty if nothing.

    >>> mes.meta(mes.read("bars.arrow"))["interval"]
    '1s'
    """
    return header(table if isinstance(table, pa.Schema) else table.schema) or {}
