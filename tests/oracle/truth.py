#!/usr/bin/env python3
"""Prints what models are worth on made markets as a Markdown table, and whether they are worth what they should be.

    python3 tests/oracle/truth.py FOLDER

FOLDER holds MODEL-EDGE.json of `mes-predict eval` for edges 1 and 0 and the models of MODELS. Exit 1 unless every family
beats the guesses that know nothing at edge 1, in log-loss and in direction, with REACHED of the best possible direction
at least, and at edge 0 the interval of none's direction lies above zero.
"""

import json
import sys
from pathlib import Path

FAMILIES = ["logistic", "boosted", "forest", "mlp", "lstm", "hybrid", "transformer"]
BEST = "best"
REACHED = 0.8


def interval(estimate):
    low, high = estimate["interval"]
    return f"{estimate['value']:+.4f} ({low:+.4f} to {high:+.4f})"


def row(name, edge, none, best):
    loss = lambda said: f"{said['model']['log_loss']['value']:.5f}"
    share = edge["direction"]["value"] / best["direction"]["value"]
    cells = [name, loss(edge), interval(edge["direction"]), f"{share:.0%}", loss(none), interval(none["direction"])]
    return f"| {' | '.join(cells)} |"


def table(edge, none):
    prior = [f"{said[BEST]['baselines']['prior']['log_loss']:.5f}" for said in (edge, none)]
    print("| log-loss; direction: nats better than the prior where it moved, 95 % | edge 1 | direction | of the best | edge 0 | direction |")
    print("|---|---:|---:|---:|---:|---:|")
    print(f"| prior | {prior[0]} | | | {prior[1]} | |")
    for name in [BEST, *FAMILIES]:
        print(row("best possible" if name == BEST else name, edge[name], none[name], edge[BEST]))


def failures(name, edge, none, best):
    if edge["gain"]["interval"][0] <= 0:
        yield f"{name}: beats no guess at edge 1: {edge['verdict']}"
    if edge["direction"]["interval"][0] <= 0:
        yield f"{name}: finds no direction at edge 1: {interval(edge['direction'])}"
    if edge["direction"]["value"] < REACHED * best["direction"]["value"]:
        yield f"{name}: less than {REACHED:.0%} of the best possible direction"
    if none["direction"]["interval"][0] > 0:
        yield f"{name}: finds a direction at edge 0: {interval(none['direction'])}"


def main(folder):
    read = lambda edge: {name: json.loads((Path(folder) / f"{name}-{edge}.json").read_text()) for name in [BEST, *FAMILIES]}
    edge, none = read(1), read(0)
    table(edge, none)
    sessions, rows = (edge[BEST][what] for what in ["sessions", "rows"])
    print(f"\n{rows} rows of {sessions} cash sessions that no model has seen; synthetic.")
    found = [text for name in [BEST, *FAMILIES] for text in failures(name, edge[name], none[name], edge[BEST])]
    if found:
        sys.exit("truth: " + "\ntruth: ".join(found))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
