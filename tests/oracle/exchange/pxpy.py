"""project-x-py trades an order life. It sends native brackets without signs, which the exchange has to refuse as the real
one does; what comes of that is its fallback: an entry, and a stop and a target of its own, which no exchange links. Ends
with a line of JSON for judge.py."""

import asyncio
import logging

from exchange import API, BEGIN, END, HUBS, KEY, ORDER, TRADE, USER, fault, journal, report, until
from project_x_py import EventBus, OrderManager, PositionManager, ProjectX, ProjectXConfig, ProjectXRealtimeClient

UNSIGNED = "Invalid stop loss ticks (60). Ticks should be less than zero when longing."


def data(event):
    return event["data"] if "data" in event else event


def row(model, names):
    return {name: getattr(model, name) for name in names if hasattr(model, name)}


def picked(event, names):
    return {name: event.get(name) for name in names}


async def main():
    logging.disable(logging.WARNING)
    config = ProjectXConfig(
        api_url=f"{API}/api", user_hub_url=f"{HUBS}/hubs/user", market_hub_url=f"{HUBS}/hubs/market",
        requests_per_minute=180)
    async with ProjectX(USER, KEY, config=config) as client:
        await client.authenticate()
        account = client.get_account_info()
        mes = await client.get_instrument("MES")
        assert (mes.symbolId, mes.tickSize, mes.tickValue, mes.activeContract) == ("F.US.MES", 0.25, 1.25, True), mes
        bars = await client.get_bars("MES", unit=1, interval=1, start_time=BEGIN, end_time=END)
        assert len(bars) > 0 and bars["timestamp"].is_sorted() and (bars["high"] >= bars["low"]).all(), bars

        orders, trades, positions, cash, parts = {}, {}, [], [], []
        market = {"quote_update": 0, "market_trade": 0, "market_depth": 0}

        async def on_order(event):
            order = data(event)
            orders[order["id"]] = order
            if order["status"] == 1 and 0 < order["fillVolume"] < order["size"]:
                parts.append(order["id"])

        async def on_trade(event):
            trades[data(event)["id"]] = data(event)

        async def on_position(event):
            positions.append(data(event))

        async def on_account(event):
            cash.append(data(event))

        def count(name):
            async def counted(event):
                assert event["contract_id"] == mes.id, event
                market[name] += 1
            return counted

        live = ProjectXRealtimeClient(client.get_session_token(), str(account.id), config=config)
        for name, callback in {
            "order_update": on_order, "trade_execution": on_trade,
            "position_update": on_position, "account_update": on_account,
        }.items():
            await live.add_callback(name, callback)
        for name in market:
            await live.add_callback(name, count(name))
        assert await live.connect(), "the hubs cannot be reached"
        assert await live.subscribe_user_updates() and await live.subscribe_market_data([mes.id]), "subscriptions fail"
        await until("quotes, trades and depth", lambda: all(market.values()))

        bus = EventBus()
        manager, holdings = OrderManager(client, bus), PositionManager(client, bus)
        assert await manager.initialize(live) and await holdings.initialize(live, manager)

        price = float(bars["close"][-1])
        fault("partial-entries", 10)
        bracket = await manager.place_bracket_order(mes.id, 0, 2, price, price - 15, price + 15, entry_type="market")
        assert bracket.success and bracket.entry_order_id and bracket.stop_order_id and bracket.target_order_id, bracket
        refused = [one["errorMessage"] for one in journal("refused")]
        assert refused == [UNSIGNED], refused
        kept = {one["id"]: one for one in journal("order")}
        assert [one["status"] for one in kept.values()].count(5) == 1 and len(kept) == 4, kept
        entry, stop, target = (kept[one] for one in (bracket.entry_order_id, bracket.stop_order_id, bracket.target_order_id))
        assert (entry["type"], stop["type"], target["type"]) == (2, 4, 1), "a market entry, a stop, a limit"
        assert all(one["status"] == 1 and "parentOrderId" not in one for one in (stop, target)), (stop, target)

        await until("the entry in parts", lambda: entry["id"] in parts and orders[entry["id"]]["status"] == 2)
        assert await manager.modify_order(stop["id"], stop_price=stop["stopPrice"] - 2)
        await until("the moved stop", lambda: orders[stop["id"]]["stopPrice"] == stop["stopPrice"] - 2)
        [position] = await client.search_open_positions()
        assert (position.size, position.type) == (2, 1), position
        assert await manager.cancel_order(target["id"])
        await until("the cancelled target", lambda: orders[target["id"]]["status"] == 3)
        closed = await holdings.close_position_direct(mes.id)
        assert closed["success"], closed
        await until("flat", lambda: positions[-1]["size"] == 0)
        await manager.cancel_all_orders()
        await until("no order at work", lambda: all(one["status"] in (2, 3, 5) for one in orders.values()))
        assert await client.search_open_positions() == [] and await manager.search_open_orders() == []
        await asyncio.sleep(1)

        [account] = await client.list_accounts()
        assert cash[-1]["balance"] == account.balance, (cash, account)
        report(
            client="project-x-py 4.4.1",
            checked=f"{len(bars)} bars, {market['quote_update']} quotes, {market['market_trade']} prints, "
            f"{market['market_depth']} depths, its unsigned bracket refused, its fallback of three filled in parts, "
            "stop moved, target cancelled, closed",
            orders=[row(one, ORDER) for one in await manager.search_orders(BEGIN, END)],
            trades=[row(one, TRADE) for one in await client.search_trades(BEGIN, END)],
            hub_orders=[picked(one, ORDER) for one in orders.values()],
            hub_trades=[picked(one, TRADE) for one in trades.values()],
            balance=account.balance, refused=refused, parts=True)
        await live.disconnect()


asyncio.run(main())
