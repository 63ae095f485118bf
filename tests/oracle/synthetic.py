#!/usr/bin/env python3
"""Compares the synthetic market with recorded ones: a table and a plot, written into a folder.

    tests/oracle/synthetic          makes the files that this reads, and calls it

Reads synthetic, es, nq-08, nq-09, mes-1m, es-5m-{H,M,U} and mes-5s, each .parquet, from the working directory; writes
synthetic.svg, and the table in synthetic.md between its two marks.
"""

import pathlib
import sys

import numpy as np
import pandas as pd

TICK = 0.25
MARKS = ("<!-- table: tests/oracle/synthetic -->", "<!-- end of table -->")
COLOURS = {"synthetic": "#c0392b", "MES 2026": "#2c3e50", "ES 2023": "#7f8c8d", "ES 2019": "#2980b9", "NQ 2025": "#27ae60"}


def read(name, *columns):
    """Bars with the New York time at which they begin, in minutes of the day, and the date of the session."""
    table = pd.read_parquet(f"{name}.parquet", columns=["ts", *columns])
    begin = (table["ts"] - pd.Timedelta(1, "ns")).dt.tz_convert("America/New_York")
    table["minute"] = begin.dt.hour * 60 + begin.dt.minute
    table["day"] = (begin + pd.Timedelta(hours=6)).dt.date
    return table


def cash(table):
    return table[(table["minute"] >= 570) & (table["minute"] < 960)]


def autocorrelation(table, lags):
    """Of |change of the close| from row to row; never across days."""
    size = table.groupby("day")["close"].diff().abs()
    size = size - size.mean()
    of_day = size.groupby(table["day"])
    return [float((size * of_day.shift(lag)).mean() / (size * size).mean()) for lag in lags]


def by_half_hour(table):
    """Shares of the cash session's volume, of days that have all of it."""
    table = cash(table)
    whole = table.groupby("day")["minute"].agg(lambda minutes: minutes.nunique())
    table = table[table["day"].isin(whole[whole == whole.max()].index)]
    volume = table.groupby((table["minute"] - 570) // 30)["volume"].sum()
    return (volume / volume.sum()).tolist(), table["day"].nunique()


def to_length(table, seconds):
    return table[table["ts"].astype("int64") // 10**9 % seconds == 0]


def percent(value):
    return f"{100 * value:.1f} %"


def svg_panel(left, title, series, xs, top, label):
    """One plot of lines in a box of 330 × 170."""
    scale = lambda value: 210 - 170 * min(max(value / top, 0), 1)
    parts = [f'<text x="{left}" y="22" font-weight="bold">{title}</text>']
    for share in (0, 0.5, 1):
        y = scale(top * share)
        parts.append(f'<path d="M{left} {y:.0f}h330" stroke="#ddd"/><text x="{left - 4}" y="{y + 4:.0f}" text-anchor="end">{label(top * share)}</text>')
    for index, x in enumerate(xs):
        if x:
            parts.append(f'<text x="{left + 330 * index / (len(xs) - 1):.0f}" y="226" text-anchor="middle">{x}</text>')
    for number, (name, values) in enumerate(series.items()):
        points = " ".join(f"{left + 330 * i / (len(xs) - 1):.1f},{scale(v):.1f}" for i, v in enumerate(values))
        width = 2.5 if name == "synthetic" else 1.5
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[name]}" stroke-width="{width}"/>')
        parts.append(f'<text x="{left + 240}" y="{50 + 14 * number}" fill="{COLOURS[name]}">{name}</text>')
    return "\n".join(parts)


def main(folder):
    columns = ["close", "volume"]
    synthetic = read("synthetic", *columns, "bid", "ask")
    es = read("es", *columns)
    nq = pd.concat([read("nq-08", *columns), read("nq-09", *columns)])
    mes = read("mes-1m", *columns)
    es_5m = pd.concat([read(f"es-5m-{month}", *columns) for month in "HMU"])
    rows = []
    row = lambda what, *values: rows.append(f"| {what} | " + " | ".join(values) + " |")

    # Seconds: whole days of what was recorded by the second.
    traded = lambda table: (table["volume"] > 0).sum() / (table["day"].nunique() * 23400)
    empty = lambda table: percent(1 - traded(cash(table)))
    night = lambda table: table[(table["minute"] >= 1080) | (table["minute"] < 570)]
    empty_night = lambda table: percent(1 - (night(table)["volume"] > 0).sum() / (table["day"].nunique() * 55800))
    row("empty seconds of the cash session", empty(synthetic), empty(es), empty(nq))
    row("empty seconds from 18:00 to 09:30", empty_night(synthetic), empty_night(es), empty_night(nq))
    moves = lambda table: (cash(table).groupby("day")["close"].diff().abs() / TICK).round().dropna()
    for ticks, what in [(0, "no change of the last price from second to second"), (1, "1 tick"), (2, "2 ticks"), (3, "3 ticks")]:
        row(what, *[percent((moves(table) == ticks).mean()) for table in (synthetic, es, nq)])
    row("4 ticks and more", *[percent((moves(table) >= 4).mean()) for table in (synthetic, es, nq)])
    for lag in (1, 5, 30, 60, 300):
        row(f"autocorrelation of the size of moves, {lag} s", *[f"{autocorrelation(cash(table), [lag])[0]:.2f}" for table in (synthetic, es, nq)])
    first = ["| seconds | synthetic, 20 days | ES, 16 Dec 2019 | NQ, 8 and 9 Dec 2025 |", "|---|---|---|---|", *rows]

    # Minutes and half hours: weeks and months.
    rows.clear()
    minutes, fives = to_length(synthetic, 60), to_length(synthetic, 300)
    row("size of a minute's move, ticks, mean", *[f"{moves(table).mean():.1f}" for table in (minutes, mes)], "–")
    row("size of 5 minutes' move, ticks, mean", *[f"{moves(table).mean():.1f}" for table in (fives, to_length(mes, 300), es_5m)])
    for lag in (1, 3, 6, 12):
        of = lambda table: f"{autocorrelation(cash(table), [lag])[0]:.2f}"
        row(f"autocorrelation of the size of 5-minute moves, {5 * lag} min", of(fives), of(to_length(mes, 300)), of(es_5m))
    shapes = {"synthetic": by_half_hour(synthetic), "MES 2026": by_half_hour(mes), "ES 2023": by_half_hour(es_5m)}
    clock = lambda half: f"{9 + (half + 1) // 2:02}:{30 * ((half + 1) % 2):02}"
    for half in range(13):
        row(f"volume of the half hour from {clock(half)}", *[percent(shares[half]) for shares, _ in shapes.values()])
    row("days", *[str(days) for _, days in shapes.values()])
    second = ["| minutes | synthetic | MES, 26 May – 12 June 2026 | ES, Dec 2022 – Sep 2023 |", "|---|---|---|---|", *rows]

    # Quotes every five seconds of the cash session.
    rows.clear()
    quotes = read("mes-5s", "bid", "ask")
    quoted = cash(to_length(synthetic, 5))
    spread = lambda table: ((table["ask"] - table["bid"]) / TICK).round().dropna()
    for ticks in (1, 2):
        row(f"spread of {ticks} tick{'s' * (ticks > 1)}", percent((spread(quoted) == ticks).mean()), percent((spread(quotes) == ticks).mean()))
    row("wider", percent((spread(quoted) > 2).mean()), percent((spread(quotes) > 2).mean()))
    third = ["| quotes every 5 s | synthetic | MES, Jan – June 2022 |", "|---|---|---|", *rows]

    table = "\n\n".join("\n".join(lines) for lines in (first, second, third))
    page = pathlib.Path(folder, "synthetic.md")
    before, rest = page.read_text().split(MARKS[0])
    page.write_text(f"{before}{MARKS[0]}\n\n{table}\n\n{MARKS[1]}{rest.split(MARKS[1])[1]}")

    half_hours = [clock(half) if half % 3 == 0 else "" for half in range(13)]
    lags = list(range(1, 61))
    clusters = {"synthetic": synthetic, "ES 2019": es, "NQ 2025": nq}
    plot = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 240" font-family="sans-serif" font-size="11">',
        '<rect width="800" height="240" fill="#fff"/>',
        svg_panel(45, "Share of the cash session's volume by half hour", {n: s for n, (s, _) in shapes.items()}, half_hours, 0.2, lambda v: f"{100 * v:.0f} %"),
        svg_panel(445, "Autocorrelation of |move| by lag in seconds", {n: autocorrelation(cash(t), lags) for n, t in clusters.items()}, [str(lag) if lag in (1, 15, 30, 45, 60) else "" for lag in lags], 0.3, lambda v: f"{v:.2f}"),
        "</svg>",
    ]
    pathlib.Path(folder, "synthetic.svg").write_text("\n".join(plot) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
