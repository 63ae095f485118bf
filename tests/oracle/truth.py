#!/usr/bin/env python3
"""Prints what models are worth on made markets as a Markdown table, and whether they are worth what they should be.

    python3 tests/oracle/truth.py FOLDER

FOLDER holds MODEL-EDGE.json of `mes-predict eval` for edges 1 and 0, of every family and of `best`, the model that also sees
what the orders say of the hidden pressure. Exit 1 unless each of them beats the guesses that know nothing at edge 1, in
log-loss and in direction, every family reaches the shares below of what `best` gains, and at edge 0 no interval of the
direction lies above zero.
"""

import json
import sys
from pathlib import Path

FAMILIES = ["logistic", "boosted", "forest", "mlp", "lstm", "hybrid", "transformer"]
BEST = "best"
# Of the best possible gain in log-loss, and in direction. The features hold about two thirds of the latter (pressure.py says
# how much), so these are margins of the features as much as of the models.
GAIN_REACHED, DIRECTION_REACHED = 0.7, 0.4


def interval(estimate):
    low, high = estimate["interval"]
    return f"{estimate['value']:+.4f} ({low:+.4f} to {high:+.4f})"


def gain(said):
    """How much lower the log-loss is than that of the prior."""
    return said["baselines"]["prior"]["log_loss"] - said["model"]["log_loss"]["value"]


def reached(said, best):
    """The shares of the best possible gain and direction."""
    return gain(said) / gain(best), said["direction"]["value"] / best["direction"]["value"]


def row(name, edge, none, best):
    loss = lambda said: f"{said['model']['log_loss']['value']:.5f}"
    gained, told = (f"{share:.0%}" for share in reached(edge, best))
    cells = [name, loss(edge), gained, interval(edge["direction"]), told, loss(none), interval(none["direction"])]
    return f"| {' | '.join(cells)} |"


def table(edge, none):
    prior = [f"{said[BEST]['baselines']['prior']['log_loss']:.5f}" for said in (edge, none)]
    print("| | edge 1: log-loss | of the best gain | direction, 95 % | of the best | edge 0: log-loss | direction, 95 % |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    print(f"| prior | {prior[0]} | | | | {prior[1]} | |")
    for name in [BEST, *FAMILIES]:
        print(row("best possible" if name == BEST else name, edge[name], none[name], edge[BEST]))


def failures(name, edge, none, best):
    if edge["gain"]["interval"][0] <= 0:
        yield f"{name}: beats no guess at edge 1: {edge['verdict']}"
    if edge["direction"]["interval"][0] <= 0:
        yield f"{name}: finds no direction at edge 1: {interval(edge['direction'])}"
    gained, told = reached(edge, best)
    if gained < GAIN_REACHED or told < DIRECTION_REACHED:
        yield f"{name}: {gained:.0%} of the best possible gain and {told:.0%} of its direction are too little"
    if none["direction"]["interval"][0] > 0:
        yield f"{name}: finds a direction at edge 0: {interval(none['direction'])}"


def main(folder):
    read = lambda edge: {name: json.loads((Path(folder) / f"{name}-{edge}.json").read_text()) for name in [BEST, *FAMILIES]}
    edge, none = read(1), read(0)
    table(edge, none)
    sessions, rows = (edge[BEST][what] for what in ["sessions", "rows"])
    print(f"\n{rows} rows of {sessions} cash sessions that no model has seen; synthetic.")
    print("Nats; direction: less log-loss than the prior's in up against down, where it moved.")
    found = [text for name in [BEST, *FAMILIES] for text in failures(name, edge[name], none[name], edge[BEST])]
    if found:
        sys.exit("truth: " + "\ntruth: ".join(found))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
