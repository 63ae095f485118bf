"""Hub bytes, kept once and played to any client: `frames.py record FILE` listens to both hubs of a running mes-sim while an order
lives and keeps every frame as it came; `frames.py play FILE` serves them on loopback, prints its address, and plays a hub once
its client has subscribed; `frames.py same OURS THEIRS` compares what two clients said they heard."""

import asyncio
import json
import os
import sys
import urllib.request

import websockets

END = "\x1e"
SUBSCRIBE = {
    "user": [("SubscribeAccounts", []), ("SubscribeOrders", [7]), ("SubscribePositions", [7]), ("SubscribeTrades", [7])],
    "market": [(f"SubscribeContract{what}", ["CON.F.US.MES.Z26"]) for what in ("Quotes", "Trades", "MarketDepth")],
}


def call(path, token=None, **body):
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(f"{os.environ['TOPSTEPX_API_URL']}/api/{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


async def record(path):
    token = call("Auth/loginKey", userName=os.environ["TOPSTEPX_USERNAME"], apiKey=os.environ["TOPSTEPX_API_KEY"])["token"]
    base, kept = os.environ["TOPSTEPX_HUBS_URL"].replace("http", "ws", 1), []

    async def listen(hub):
        async with websockets.connect(f"{base}/hubs/{hub}?access_token={token}", max_size=None) as line:
            await line.send(json.dumps({"protocol": "json", "version": 1}) + END)
            assert await line.recv() == "{}" + END
            for target, arguments in SUBSCRIBE[hub]:
                await line.send(json.dumps({"type": 1, "target": target, "arguments": arguments}) + END)
            async for frame in line:
                kept.append({"hub": hub, "frame": frame})

    listeners = [asyncio.create_task(listen(hub)) for hub in SUBSCRIBE]
    await asyncio.sleep(1)
    order = {"accountId": 7, "contractId": "CON.F.US.MES.Z26", "type": 2, "side": 0, "size": 2, "customTag": "frames"}
    legs = {"stopLossBracket": {"ticks": -60, "type": 4}, "takeProfitBracket": {"ticks": 60, "type": 1}}
    await asyncio.to_thread(call, "Order/place", token, **order, **legs)
    await asyncio.sleep(1)
    # A tag again: told as a rejected order.
    await asyncio.to_thread(call, "Order/place", token, **order)
    await asyncio.to_thread(call, "Position/closeContract", token, accountId=7, contractId=order["contractId"])
    await asyncio.sleep(1)
    for one in listeners:
        one.cancel()
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(one) + "\n" for one in kept)


async def play(path):
    with open(path, encoding="utf-8") as kept:
        frames = [json.loads(line) for line in kept]

    async def serve(line):
        hub = line.request.path.split("?")[0].rsplit("/", 1)[-1]
        await line.recv()
        await line.send("{}" + END)
        awaited = len(SUBSCRIBE[hub])
        while awaited:
            for text in filter(None, (await line.recv()).split(END)):
                asked = json.loads(text)
                if asked["type"] == 1:
                    awaited -= 1
                    await line.send(json.dumps({"type": 3, "invocationId": asked["invocationId"], "result": None}) + END)
        for one in frames:
            if one["hub"] == hub:
                await line.send(one["frame"])
        await line.wait_closed()

    async with websockets.serve(serve, "127.0.0.1", 0, compression=None) as server:
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.Future()


SHARED = """kind id status type side size limitPrice stopPrice fillVolume filledPrice customTag parentOrderId orderId price
profitAndLoss fees commissions averagePrice balance canTrade lastPrice bestBid bestAsk volume""".split()


def number(value):
    """One client writes decimals as text."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def heard(path):
    """What a client heard: our records have their data within, and the levels of one message in a list."""
    events = []
    with open(path, encoding="utf-8") as said:
        for event in map(json.loads, said):
            data = event.get("data", event)
            for one in data if isinstance(data, list) else [data]:
                events.append({"kind": event["kind"]} | {field: number(one.get(field)) for field in SHARED[1:]})
    return events


def same(ours, theirs):
    ours, theirs = heard(ours), heard(theirs)
    for nth, (one, other) in enumerate(zip(ours, theirs)):
        assert one == other, f"event {nth}: {one}, not {other}"
    assert len(ours) == len(theirs) > 50, f"{len(ours)} events, not {len(theirs)}"
    print(f"exchange: our client and projectx-client heard the same {len(ours)} events in the same bytes")


match sys.argv[1:]:
    case ["record", path]:
        asyncio.run(record(path))
    case ["play", path]:
        asyncio.run(play(path))
    case ["same", ours, theirs]:
        same(ours, theirs)
