#!/usr/bin/env python3
"""Opens tables with pandas, polars, pyarrow and DuckDB and compares their types, rows and values between them.

    python3 tests/oracle/formats.py FILE...
"""

import os
import sys

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

COUNTS = {"volume", "buy_volume", "sell_volume", "trades", "bid_size", "ask_size", "ofi", "age_ms", "seg", "size"}
PRICES = {"open", "high", "low", "close", "bid", "ask", "vwap", "price"}


def type_wanted(name):
    if name == "ts":
        return pa.timestamp("ns", tz="UTC")
    if name in COUNTS:
        return pa.int64()
    if name in PRICES:
        return pa.float64()
    if name in ("y_dir", "y_barrier"):
        return pa.int8()
    if name[:2] in ("f_", "p_", "y_"):
        return pa.float32()
    return pa.string() if name == "symbol" else None


def with_pyarrow(path):
    if path.endswith(".parquet"):
        return pa.parquet.read_table(path)
    if path.endswith(".arrow"):
        with pa.OSFile(path) as file:
            return pa.ipc.open_stream(file).read_all()
    return pa.csv.read_csv(path)


def with_pandas(path):
    if path.endswith(".parquet"):
        return pd.read_parquet(path)
    if path.endswith(".arrow"):
        return with_pyarrow(path).to_pandas()
    table = pd.read_csv(path)
    if "ts" in table:
        table["ts"] = pd.to_datetime(table["ts"], format="ISO8601")
    return table


def with_polars(path):
    if path.endswith(".parquet"):
        return pl.read_parquet(path)
    if path.endswith(".arrow"):
        return pl.read_ipc_stream(path)
    return pl.read_csv(path, infer_schema_length=None)


def with_duckdb(path):
    """DuckDB opens Parquet and CSV by their names; Arrow streams come to it as tables."""
    if path.endswith(".arrow"):
        stream = with_pyarrow(path)
        return duckdb.sql("from stream").to_df()
    return duckdb.sql(f"from '{path}'").to_df()


def check(path):
    arrow, pandas, polars, duck = with_pyarrow(path), with_pandas(path), with_polars(path), with_duckdb(path)
    rows = {len(arrow), len(pandas), len(polars), len(duck)}
    names = {tuple(arrow.column_names), tuple(pandas.columns), tuple(polars.columns), tuple(duck.columns)}
    if len(rows) != 1 or len(names) != 1 or rows == {0}:
        sys.exit(f"{path}: rows {rows}, columns {names}")
    if not path.endswith(".csv"):
        for field in arrow.schema:
            wanted = type_wanted(field.name)
            if wanted is not None and field.type != wanted:
                sys.exit(f"{path}: {field.name} is {field.type}, not {wanted}")
    if "ts" in arrow.column_names and str(pandas["ts"].dt.tz) != "UTC":
        sys.exit(f"{path}: pandas reads ts as {pandas['ts'].dtype}")
    for name in set(arrow.column_names) & (COUNTS | PRICES):
        sums = [float(pa.compute.sum(arrow[name]).as_py() or 0), float(pandas[name].sum()), float(polars[name].sum())]
        sums.append(float(duck[name].sum()))
        if max(sums) - min(sums) > 1e-9 * max(map(abs, sums)):
            sys.exit(f"{path}: the sum of {name} is {sums}")
    return f"{len(arrow)} rows, {len(arrow.column_names)} columns"


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for path in sys.argv[1:]:
        print(f"format {os.path.basename(path)}: {check(path)}, the same in pandas, polars, pyarrow and DuckDB")
