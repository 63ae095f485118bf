"""Prints the table of results.jsonl, one line a run: the fastest run of each engine, its speed over that of our first."""

import json
import sys

best, names = {}, []
for line in open(sys.argv[1]):
    run = json.loads(line)
    name = run["engine"]
    if name not in best or run["seconds"] < best[name]["seconds"]:
        best[name] = run
    names.append(name)

ours = [run for name, run in best.items() if name.startswith("mes")]
head = ("engine", "version", "rows", "runs", "bars/s", "seconds", "MB", "trades", "gross ticks", "ratio")
shape = "{:<23} {:<10} {:>8} {:>4} {:>8} {:>8} {:>5} {:>6} {:>11} {:>6}"
print(shape.format(*head))
notes = []
for name, run in best.items():
    speed = run["rows"] / run["seconds"]
    ratio = speed * ours[0]["seconds"] / ours[0]["rows"]
    shown = (f"{speed:.0f}", f"{run['seconds']:.2f}", f"{run['rss_mb']:.0f}", run["trades"], run["gross_ticks"], f"{ratio:.3f}")
    print(shape.format(name, run["version"], run["rows"], names.count(name), *shown))
    if run not in ours:
        same = [one["engine"] for one in ours if (one["trades"], one["gross_ticks"]) == (run["trades"], run["gross_ticks"])]
        notes.append(f"- {name}: " + (f"as many trades and the same gross as {same[0]}" if same else f"not quite our trades: {run['why']}"))
print("", *notes, sep="\n")
