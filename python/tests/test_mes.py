"""The module against the tools: python -m unittest discover -s python/tests, with the tools found as the module finds them."""

import gzip
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc

import mes
from mes.tables import STOP_MARK
from mes.tools import _environment

EXAMPLES = Path(__file__).parent.parent / "examples"
# A loaded machine takes its time to start Python; no answer depends on it.
PATIENCE = ["--patience", "120s"]


def stream(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def through(program, data, *flags):
    """Runs an example, and returns exit code, stdout and stderr."""
    command = [sys.executable, str(EXAMPLES / program), *flags]
    done = subprocess.run(command, input=data, capture_output=True, env=_environment())
    return done.returncode, done.stdout, done.stderr.decode()


class Base(unittest.TestCase):
    def same(self, found, wanted):
        """Text does not say that a column may have no nulls; names, types and values are to be the same."""
        self.assertEqual(found.schema.names, wanted.schema.names)
        self.assertEqual(found.schema.types, wanted.schema.types)
        self.assertEqual([name for name in wanted.schema.names if found[name] != wanted[name]], [])

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = Path(cls.folder.name)
        cls.bars = mes.pipe("mes-fetch synth -q --sessions 1 --seed 3 --session rth | mes-bars -q --session rth")


class Reading(Base):
    def test_the_same_table_in_every_format_to_the_last_bit(self):
        line = "mes-features -q | mes-predict -q --rule ema-cross"
        features = mes.pipe(line, self.bars.slice(0, 3000))
        for name in ["a.arrow", "a.feather", "a.arrows", "a.parquet", "a.csv", "a.jsonl", "a.csv.gz", "a.jsonl.zst"]:
            mes.run(f"{line} -o {name}", self.bars.slice(0, 3000), cwd=self.path)
            with self.subTest(name):
                self.same(mes.read(self.path / name), features)
        self.assertEqual(mes.meta(mes.read(self.path / "a.parquet"))["interval"], "1s")

    def test_a_header_of_json_lines_is_kept_as_metadata(self):
        text = mes.run("mes-bars -q --to jsonl --header", self.bars)
        table = mes.read(text)
        self.assertEqual((table.num_rows, mes.meta(table)["interval"]), (self.bars.num_rows, "1s"))
        self.assertEqual(mes.read(gzip.compress(text)), table)

    def test_what_is_cut_or_none_of_ours_is_an_error_that_says_so(self):
        data = stream(self.bars)
        for bad, words in [
            (data[:-8], "no end mark"),
            (data[:-8] + STOP_MARK, "a person stopped"),
            (b"", "empty"),
            (b"\x00\x01\x02\x03", "neither"),
            (b'{"kind":"run","v":1}\n', "mes.journal"),
            (gzip.compress(data)[:-20], "bytes"),
            (b'{"ts":"2026-01-02T00:00:00Z","close":1.0\n', "bytes"),
        ]:
            with self.assertRaisesRegex(mes.DataError, words):
                mes.read(bad)
        with self.assertRaises(FileNotFoundError):
            mes.read(self.path / "nothing.arrow")


class Pipes(Base):
    def test_a_failure_has_the_exit_code_and_the_words_of_the_tool(self):
        for line, code, words in [
            ("mes-bars nothing.csv", 2, "no such file"),
            ("mes-bars nothing.csv | mes-features", 3, "no such file"),
            ("mes-bars <<< 'x'", 3, "mes-bars"),
        ]:
            with self.assertRaises(mes.ToolError) as caught:
                mes.pipe(line)
            self.assertEqual(caught.exception.code, code)
            self.assertIn(words, caught.exception.said)

    def test_what_is_no_table_is_refused_in_words(self):
        with self.assertRaisesRegex(mes.DataError, "mes.run gives bytes"):
            mes.pipe("echo '{'; echo '}'")
        with self.assertRaisesRegex(TypeError, "from_pandas"):
            mes.pipe("mes-bars", [1])

    def test_a_tool_that_has_enough_takes_no_harm(self):
        self.assertEqual(mes.pipe("mes-bars -q | head -n 2", self.bars).num_rows, 2)

    def test_a_journal_is_a_table_of_each_kind(self):
        rows = mes.pipe("mes-predict -q --rule random --rate 0.01", self.bars)
        (self.path / "journal.jsonl").write_bytes(mes.run("mes-bt -q --journal -", rows))
        (self.path / "journal.jsonl.gz").write_bytes(gzip.compress((self.path / "journal.jsonl").read_bytes()))
        for name in ["journal.jsonl", "journal.jsonl.gz"]:
            journal = mes.journal(self.path / name)
            self.assertEqual(journal.run["interval"], "1s")
            self.assertEqual(journal.statements.num_rows, self.bars.num_rows + 1)
            entries = pc.sum(pc.is_null(journal.fills["exit"])).as_py()
            self.assertGreater(entries, 0)
            self.assertGreater(journal.orders.num_rows, entries - 1)
            self.assertEqual(set(journal.denials.schema.names), {"ts", "signal", "rule", "value", "limit"})
        with self.assertRaises(FileNotFoundError):
            mes.journal(self.path / "nothing")


class Laws(Base):
    # One of batches, in Arrow, is proved on the page.
    def test_a_stage_of_rows_keeps_all_laws_in_text_with_a_header(self):
        command = ["mes-check", "stage", *PATIENCE, "--header", "--", sys.executable, str(EXAMPLES / "range.py")]
        done = subprocess.run(command, capture_output=True, env=_environment())
        self.assertEqual(done.returncode, 0, done.stdout.decode() + done.stderr.decode())
        self.assertIn(b'"holds":true', done.stdout)

    def test_a_stage_that_looks_ahead_is_caught(self):
        ahead = self.path / "ahead.py"
        ahead.write_text(
            "import mes, pyarrow as pa\n"
            "@mes.stage('f_ahead')\n"
            "def ahead(rows):\n"
            "    close = rows['close'].to_pylist()\n"
            "    return [0.5 if later > now else 0.0 for now, later in zip(close, close[1:] + close[-1:])]\n"
            "ahead.main()\n"
        )
        command = ["mes-check", "stage", *PATIENCE, "--as", "arrow", "--", sys.executable, str(ahead)]
        done = subprocess.run(command, capture_output=True, env=_environment())
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"broken: ", done.stderr)


class Stages(Base):
    def test_formats_and_calls_agree(self):
        sys.path.insert(0, str(EXAMPLES))
        import momentum

        wanted = momentum.momentum(self.bars)
        text = mes.run("mes-bars -q --to jsonl --header", self.bars)
        arrow = stream(self.bars)
        for data, flags in [(arrow, []), (text, []), (text, ["--to", "arrow"]), (arrow, ["--to", "jsonl"])]:
            code, out, said = through("momentum.py", data, *flags)
            self.assertEqual((code, said), (0, ""))
            self.same(mes.read(out), wanted)
        self.assertEqual(wanted["f_momentum"].null_count, 20)
        link = mes.meta(wanted)["lineage"][-1]
        self.assertEqual((link["tool"], link["settings"]["back"]), ("momentum.py", 20))
        # And its rows are taken by the tools, which know where they came from.
        after = mes.pipe("mes-predict -q --rule ema-cross", wanted)
        self.assertIn(link, mes.meta(after)["lineage"])

    def test_lines_of_text_stay_as_they_are(self):
        lines = b'{"ts":"2026-01-02T15:00:01Z","low":1.50,"high":2,"close":2.0,"seg":0,"x":"\xc3\xa9\\"}","y":null}\n' * 2
        code, out, said = through("range.py", lines)
        self.assertEqual((code, said), (0, ""))
        self.assertEqual(out, lines.replace(b',"y":null}', b',"y":null,"f_range":1.0}'))

    def test_what_cannot_be_is_one_line_and_exit_3(self):
        data = stream(self.bars)
        whole = b'{"ts":"2026-01-02T15:00:01Z","low":1.5,"high":2.0,"close":2.0,"seg":0}\n'
        for bad, words in [
            (b"", "empty"),
            (data[:-8], "no end mark"),
            (data[: len(data) // 2], "stdin"),
            (whole[:-4], "line that is no object|cut off|Expecting"),
            (whole + whole[:-4], "cut off"),
            (whole + whole.replace(b"seg", b"sag"), "sag"),
            (whole + b"[]\n", "cut off"),
            (whole.replace(b"2.0", b"true"), "JSON"),
            (whole.replace(b"}", b',"f_range":0.5}'), "is there already"),
        ]:
            code, _, said = through("range.py", bad)
            self.assertEqual(code, 3, said)
            self.assertRegex(said, words)
            self.assertEqual(said.count("\n"), 1)

    def test_values_outside_their_range_and_infinity_are_errors_and_nan_is_null(self):
        def made(name, value):
            return mes.stage(name)(lambda rows: np.full(rows.num_rows, value))(self.bars)

        self.assertEqual(made("f_x", np.nan)["f_x"].null_count, self.bars.num_rows)
        for name, value in [("f_x", 1.5), ("f_x", np.inf), ("p_move", -np.inf)]:
            with self.assertRaisesRegex(mes.DataError, name):
                made(name, value)
        with self.assertRaisesRegex(ValueError, "one for each row"):
            mes.stage("f_x")(lambda rows: [0.0])(self.bars)

    def test_a_reader_that_has_enough_ends_it_well(self):
        line = f"mes-bars -q --to jsonl | {sys.executable} {EXAMPLES / 'range.py'} | head -n 1"
        self.assertEqual(mes.pipe(line, self.bars).num_rows, 1)

    def test_a_person_stops_it_as_stopped(self):
        command = [sys.executable, str(EXAMPLES / "momentum.py")]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, env=_environment(), **pipes) as process:
            process.stdin.write(stream(self.bars.slice(0, 50))[:-8])
            process.stdin.flush()
            head = os.read(process.stdout.fileno(), 1 << 16)
            process.send_signal(signal.SIGINT)
            rest, said = process.communicate()
        self.assertEqual(process.returncode, 4)
        self.assertTrue((head + rest).endswith(STOP_MARK))
        self.assertIn(b"stopped", said)
        # What the tool before says of a stop goes on.
        code, out, _ = through("momentum.py", stream(self.bars)[:-8] + STOP_MARK)
        self.assertEqual((code, out[-8:]), (4, STOP_MARK))

    def test_speed_is_that_of_batches(self):
        rows = pa.concat_tables([self.bars] * 10)
        begin = time.process_time()
        sys.path.insert(0, str(EXAMPLES))
        import momentum

        momentum.momentum(rows)
        spent = time.process_time() - begin
        self.assertGreater(rows.num_rows / spent, 100_000)


if __name__ == "__main__":
    unittest.main()
