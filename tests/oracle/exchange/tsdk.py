"""topstep-sdk trades an order life with brackets that it signs itself, the entry filled in parts; and under `mes-sim fault
down` it sends one order again and again, of which the exchange keeps one: the tag refuses the rest. Ends with a line of JSON
for judge.py."""

import asyncio
import logging
import re

from exchange import API, BEGIN, END, HUBS, KEY, ORDER, TRADE, USER, fault, journal, report, until
from topstep_sdk import AsyncTopstepClient, OrderSide, OrderStatus, OrderType
from topstep_sdk.config import Config
from topstep_sdk.enums import AggregateBarUnit
from topstep_sdk.errors import APIError

WORKING = [OrderStatus.OPEN, OrderStatus.PENDING, 7, 8]
TWICE = "Specified custom tag is already in use"


class Wrong(logging.Handler):
    """The client only logs what of the hubs it cannot read. A null that pads a list of prints or levels, which it takes for
    one of them, is its known weakness."""

    records: list[str] = []

    def emit(self, record):
        text = self.format(record)
        if not (re.search("'Gateway(Trade|Depth)'", text) and text.endswith("Expected `object`, got `null`")):
            self.records.append(text)


def row(model, names):
    fields = {name: getattr(model, re.sub("([A-Z])", lambda upper: "_" + upper[1].lower(), name)) for name in names}
    return {name: int(value) if name in ("status", "type", "side") else value for name, value in fields.items()}


async def main():
    logging.getLogger("topstep_sdk").addHandler(Wrong(logging.ERROR))
    config = Config(USER, KEY, rest_base_url=API, user_hub_url=f"{HUBS}/hubs/user", market_hub_url=f"{HUBS}/hubs/market")
    async with AsyncTopstepClient(config) as client:
        assert await client.ping() == "pong"
        await client.validate()
        [account] = await client.accounts.search()
        mes = await client.contracts.get_by_symbol("MES")
        assert mes == await client.contracts.search_by_id(mes.id) and mes in await client.contracts.available()
        assert (mes.tick_size, mes.tick_value, mes.active_contract) == (0.25, 1.25, True)
        assert await client.contracts.available(live=True) == []

        orders, trades, positions, cash, quotes, prints, levels, parts = {}, {}, [], [], [], [], [], []

        def on_order(order):
            orders[order.id] = order
            if order.status == OrderStatus.OPEN and 0 < order.fill_volume < order.size:
                parts.append(order.id)

        user, market = client.user_hub(), client.market_hub()
        user.on_order(on_order)
        user.on_trade(lambda trade: trades.update({trade.id: trade}))
        user.on_position(positions.append)
        user.on_account(cash.append)
        market.on_quote(lambda contract, quote: quotes.append((contract, quote)))
        market.on_trade(lambda contract, trade: prints.append((contract, trade)))
        market.on_depth(lambda contract, level: levels.append((contract, level)))
        await user.start()
        await market.start()
        await user.subscribe_accounts()
        for subscribe in user.subscribe_orders, user.subscribe_positions, user.subscribe_trades:
            await subscribe(account.id)
        for subscribe in market.subscribe_quotes, market.subscribe_trades, market.subscribe_depth:
            await subscribe(mes.id)
        await until("quotes, trades and depth", lambda: len(quotes) > 5 and prints and len(levels) > 50)
        assert {contract for contract, _ in quotes + prints + levels} == {mes.id}

        bars = await client.history.retrieve_bars(
            mes.id, unit=AggregateBarUnit.SECOND, unit_number=1, start_time=BEGIN, end_time=END, limit=100,
            include_partial_bar=True)
        stamps = [bar.t for bar in bars]
        assert bars and stamps == sorted(set(stamps), reverse=True), f"bars: {stamps}"

        def legs(entry):
            return {order.type: order for order in orders.values() if order.parent_order_id == entry}

        async def flatten(entry):
            await client.positions.close(account.id, mes.id)
            await until("flat", lambda: positions[-1].size == 0 and positions[-1].type == 0)
            left = await client.orders.query(account.id, statuses=WORKING)
            for order in left.orders:
                await client.orders.cancel(account.id, order.id)
            ended = (OrderStatus.CANCELLED, OrderStatus.FILLED, OrderStatus.REJECTED)
            await until("no order at work", lambda: all(order.status in ended for order in legs(entry).values()))

        fault("partial-entries", 10)
        entry = await client.orders.sell(
            account.id, mes.id, 2, custom_tag="oracle-short", stop_loss_ticks=60, take_profit_ticks=60)
        await until("both legs of the whole entry", lambda: len(legs(entry)) == 2 and all(
            leg.status == OrderStatus.OPEN and leg.size == 2 for leg in legs(entry).values()))
        assert entry in parts, "filled at once"
        filled = (await client.orders.wait_for_fill(account.id, entry)).filled_price
        stop, target = legs(entry)[OrderType.STOP], legs(entry)[OrderType.LIMIT]
        assert (stop.stop_price - filled, target.limit_price - filled) == (15, -15), (filled, stop, target)
        assert (stop.custom_tag, target.custom_tag) == ("oracle-short-SL", "oracle-short-TP")
        assert target.linked_order_id == stop.id
        await client.orders.modify(account.id, stop.id, stop_price=stop.stop_price + 2)
        await until("the moved stop", lambda: orders[stop.id].stop_price == stop.stop_price + 2)
        [position] = await client.positions.search_open(account.id)
        assert (position.size, position.type, position.average_price) == (2, 2, filled)
        await client.orders.cancel(account.id, target.id)
        await until("the cancelled leg", lambda: orders[target.id].status == OrderStatus.CANCELLED)
        await flatten(entry)

        # One order, sent until an answer comes. Whatever came of each sending, at most one order of the tag was taken.
        fault("down", 2)
        tag, answer = "oracle-again", None
        try:
            answer = await client.orders.buy(account.id, mes.id, 1, custom_tag=tag, stop_loss_ticks=60, take_profit_ticks=60)
        except APIError as error:
            answer = str(error)
        sent = {one["id"]: one for one in journal("order") if one.get("customTag") == tag}
        taken = [one["id"] for one in sent.values() if one["status"] != OrderStatus.REJECTED]
        assert len(taken) <= 1, f"taken more than once: {sent}"
        assert taken, f"sent until it was answered, and never taken: {answer}, {sent}"
        refusals = [one for one in journal("refused") if one.get("customTag") == tag]
        if answer != taken[0]:
            assert TWICE in answer and refusals, f"an unanswered order was sent again, but: {answer}, {refusals}"
        await until("the legs", lambda: len(legs(taken[0])) == 2 and all(
            leg.status == OrderStatus.OPEN for leg in legs(taken[0]).values()))
        [position] = await client.positions.search_open(account.id)
        assert position.size == 1, f"one order, {position.size} contracts"
        await flatten(taken[0])
        assert await client.positions.search_open(account.id) == []
        assert await client.orders.search_open(account.id) == []
        await asyncio.sleep(1)

        [account] = await client.accounts.search()
        assert cash[-1] == account
        assert not Wrong.records, Wrong.records
        report(
            client="topstep-sdk 0.1.4",
            checked=f"{len(bars)} bars, {len(quotes)} quotes, {len(prints)} prints, {len(levels)} levels, a signed bracket "
            "filled in parts, stop moved, leg cancelled, closed; sent again under 503s: one order taken, "
            f"{len(refusals)} refused",
            orders=[row(one, ORDER) for one in await client.orders.search(account.id, start_timestamp=BEGIN)],
            trades=[row(one, TRADE) for one in await client.trades.search(account.id, start_timestamp=BEGIN)],
            hub_orders=[row(one, ORDER) for one in orders.values()],
            hub_trades=[row(one, TRADE) for one in trades.values()],
            balance=account.balance, refused=[TWICE for _ in refusals], parts=True)
        await user.stop()
        await market.stop()


asyncio.run(main())
