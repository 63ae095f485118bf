#!/usr/bin/env python3
"""Compares Sharpe, Sortino, drawdown and Omega of a summary, and the statistics of luck, with quantstats,
empyrical-reloaded, arch and scipy on the same daily returns.

    python3 tests/oracle/returns.py DAYS.csv SUMMARY.json
"""

import json
import sys
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
import empyrical  # noqa: E402
import quantstats.stats as qs  # noqa: E402
from scipy import stats  # noqa: E402

days = pd.read_csv(sys.argv[1], parse_dates=["date"], index_col="date")
summary = json.load(open(sys.argv[2]))
returns = days.end_usd / days.start_usd - 1
found, evidence = summary["returns"], summary["evidence"]["sharpe"]
assert len(returns) == found["days"] > 20 and returns.std() > 0


def check(name, got, want, within=1e-9):
    if not np.isclose(got, want, rtol=within, atol=1e-12):
        sys.exit(f"{name}: {got} here, {want} there")
    print(f"{name:<34} {got:.12g}")


check("sharpe, empyrical", found["sharpe"], empyrical.sharpe_ratio(returns))
check("sharpe, quantstats", found["sharpe"], qs.sharpe(returns, periods=252))
check("sortino, empyrical", found["sortino"], empyrical.sortino_ratio(returns))
check("sortino, quantstats", found["sortino"], qs.sortino(returns, periods=252))
check("omega, empyrical", found["omega"], empyrical.omega_ratio(returns))
check("total return, empyrical", found["total_ratio"], empyrical.cum_returns_final(returns))
# Of daily closes, as those packages have it; the summary's own is bar by bar and never smaller.
deepest = -empyrical.max_drawdown(returns)
check("drawdown, quantstats", deepest, -qs.max_drawdown(returns))
assert summary["drawdown"]["max_ratio"] >= deepest - 1e-12
check("annual over drawdown, empyrical", found["calmar"], empyrical.annual_return(returns) / summary["drawdown"]["max_ratio"])
check("skewness, scipy", evidence["skewness"], stats.skew(returns))
check("kurtosis, scipy", evidence["kurtosis"], stats.kurtosis(returns, fisher=False))
daily = returns.mean() / returns.std()
spread = 1 - stats.skew(returns) * daily + (stats.kurtosis(returns, fisher=False) - 1) / 4 * daily**2
check("PSR, scipy", evidence["psr"], stats.norm.cdf(daily * np.sqrt(len(returns) - 1) / np.sqrt(spread)))
intervals = summary["evidence"]["intervals"]
net = days.net_usd
assert intervals["net_usd"][0] < net.sum() < intervals["net_usd"][1]
# Where blocks are single days, BCa of scipy on the same days: two random draws agree to a few percent of the width.
if intervals["block_sessions"] == 1:
    theirs = stats.bootstrap((net,), np.mean, method="BCa", n_resamples=9999, random_state=1).confidence_interval
    width = (theirs.high - theirs.low) * len(net)
    for ours, theirs in zip(intervals["net_usd"], (theirs.low * len(net), theirs.high * len(net))):
        assert abs(ours - theirs) < 0.12 * width, (ours, theirs, width)
    print("net's interval, scipy's BCa         agrees")
