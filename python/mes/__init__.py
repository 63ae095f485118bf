"""The pipes, files and journals of the mes tools as Arrow tables, and stages written in Python.

    bars = mes.pipe("mes-bars day.csv | mes-features")     # what a pipe writes, as a table
    bars = mes.read("bars.parquet")                        # a file: Arrow, Parquet, CSV, JSON lines, also packed
    mes.journal("journal.jsonl").fills                     # a journal's records, a table of each kind

    @mes.stage("f_body")                                   # a function as a stage of a pipe
    def body(rows):
        return pc.subtract(rows["close"], rows["open"])

Needs pyarrow and nothing else. The tools are found in `$MES_BIN`, beside this package, where pip puts programs, or on
the PATH. docs/python.md is the page about it.
"""

from mes.columns import meta
from mes.journals import Journal, journal
from mes.stages import Stage, stage
from mes.tables import DataError, read
from mes.tools import ToolError, pipe, run

__version__ = "0.1.0"
__all__ = ["DataError", "Journal", "Stage", "ToolError", "journal", "meta", "pipe", "read", "run", "stage"]
