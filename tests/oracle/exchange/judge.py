"""What a client says of its day (the last line of stdin, JSON) is what the exchange has kept (the records of mes-sim
journal, in the file named by the argument): every order and fill to the last field that both name, refusals and balance; and
the day ended flat, with no order at work, its cash adding up. Prints the client's line."""

import json
import sys

WORKING = {1, 6, 7, 8}


def same(mine, theirs):
    if isinstance(theirs, (int, float)) and mine is not None:
        return abs(float(mine) - theirs) < 1e-6
    return mine == theirs


def compare(what, said, kept):
    assert {one["id"] for one in said} == set(kept), f"{what}: {sorted(one['id'] for one in said)}, not {sorted(kept)}"
    for one in said:
        other = kept[one["id"]]
        wrong = {field: (value, other.get(field)) for field, value in one.items() if not same(value, other.get(field))}
        assert not wrong, f"{what} {one['id']}: (said, kept) {wrong}"


said = json.loads(sys.stdin.readlines()[-1])
orders, trades, positions, refused, balance, parts = {}, {}, {}, [], None, False
with open(sys.argv[1], encoding="utf-8") as journal:
    for row in map(json.loads, journal):
        match row["kind"]:
            case "order":
                orders[row["id"]] = row
                parts |= row["status"] == 1 and 0 < row["fillVolume"] < row["size"]
            case "trade":
                trades[row["id"]] = row
            case "position":
                positions[row["id"]] = row
            case "account":
                balance = row["balance"]
            case "refused":
                refused.append(row["errorMessage"])

for what, kept in ("orders", orders), ("hub_orders", orders), ("trades", trades), ("hub_trades", trades):
    if what in said:
        compare(what, said[what], kept)
assert said["refused"] == refused, f"refused: {said['refused']}, not {refused}"
assert same(said["balance"], balance), f"balance: {said['balance']}, not {balance}"
assert parts == said["parts"], f"filled in parts: {said['parts']}, not {parts}"

assert trades and positions, "nothing was traded"
at_work = [row["id"] for row in orders.values() if row["status"] in WORKING]
assert not at_work, f"at work in the end: {at_work}"
assert all(row["size"] == 0 for row in positions.values()), f"not flat: {positions}"
assert sum(row["size"] * (1 - 2 * row["side"]) for row in trades.values()) == 0, "as much bought as sold"
cash = sum((row["profitAndLoss"] or 0) - row["fees"] - row["commissions"] for row in trades.values())
assert abs(1000 + cash - balance) < 1e-6, f"cash: {1000 + cash}, not {balance}"
print(f"exchange: {said['client']}: agrees ({said['checked']}; {len(orders)} orders, {len(trades)} fills as kept)")
