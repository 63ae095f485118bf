// The reference client of SignalR hears both hubs of the practice exchange, with negotiation and without, while plain fetch
// trades an order life there; and comes back by itself after the lines were cut. Ends with a line of JSON for judge.py.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import * as signalr from "@microsoft/signalr";

const { TOPSTEPX_API_URL: api, TOPSTEPX_HUBS_URL: hubs, RUN } = process.env;
const { TOPSTEPX_USERNAME: userName, TOPSTEPX_API_KEY: apiKey } = process.env;
const BEGIN = "2026-11-20T00:00:00Z", END = "2026-11-21T00:00:00Z";
const WORKING = [1, 6, 7, 8];
let token = "";

const fault = (...args) => execFileSync("mes-sim", ["fault", ...args, "--run", RUN]);

async function post(path, body) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${api}/api/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  assert.equal(response.status, 200, path);
  const said = await response.json();
  assert.equal(said.success, said.errorCode === 0, path);
  return said;
}

async function done(path, body) {
  const said = await post(path, body);
  assert.ok(said.success, `${path}: ${JSON.stringify(said)}`);
  return said;
}

async function until(what, good) {
  for (let turn = 0; turn < 400; turn++) {
    if (good()) return;
    await sleep(50);
  }
  assert.fail(`never came: ${what}`);
}

({ token } = await done("Auth/loginKey", { userName, apiKey }));
const { accounts: [account] } = await done("Account/search", { onlyActiveAccounts: true });
const { contracts } = await done("Contract/search", { searchText: "MES", live: false });
const mes = contracts.find((contract) => contract.symbolId === "F.US.MES");
const accountId = account.id, contractId = mes.id;
assert.deepEqual((await done("Contract/searchById", { contractId })).contract, mes);

// A listener has both hubs and all that they say.
async function listen(options) {
  const mine = { orders: new Map(), trades: new Map(), positions: [], cash: [], parts: new Set(), back: 0 };
  const connect = async (name, handlers, subscribe) => {
    const hub = new signalr.HubConnectionBuilder()
      .withUrl(`${hubs}/hubs/${name}`, { accessTokenFactory: () => token, ...options })
      .withAutomaticReconnect([0, 200, 500, 1000, 2000])
      .configureLogging(signalr.LogLevel.None)
      .build();
    for (const [target, handler] of Object.entries(handlers)) hub.on(target, handler);
    hub.onreconnected(async () => {
      await subscribe(hub);
      mine.back++;
    });
    await hub.start();
    await subscribe(hub);
    return hub;
  };
  const items = (data) => [data].flat().filter((item) => item !== null);
  mine.user = await connect("user", {
    GatewayUserAccount: ({ data }) => mine.cash.push(data),
    GatewayUserPosition: ({ data }) => mine.positions.push(data),
    GatewayUserTrade: ({ data }) => mine.trades.set(data.id, data),
    GatewayUserOrder: ({ data }) => {
      mine.orders.set(data.id, data);
      if (data.status === 1 && data.fillVolume > 0 && data.fillVolume < data.size) mine.parts.add(data.id);
    },
  }, async (hub) => {
    await hub.invoke("SubscribeAccounts");
    for (const what of ["Orders", "Positions", "Trades"]) await hub.invoke(`Subscribe${what}`, accountId);
  });
  mine.market = await connect("market", {
    GatewayQuote: (id, data) => {
      assert.equal(id, contractId);
      for (const quote of items(data)) {
        assert.ok(quote.symbol === "F.US.MES" && !Number.isNaN(Date.parse(quote.lastUpdated)), JSON.stringify(quote));
        mine.quotes++;
      }
    },
    GatewayTrade: (id, data) => { mine.prints += items(data).length; },
    GatewayDepth: (id, data) => { mine.levels += items(data).length; },
  }, async (hub) => {
    mine.quotes = mine.prints = mine.levels = 0;
    for (const what of ["Quotes", "Trades", "MarketDepth"]) await hub.invoke(`SubscribeContract${what}`, contractId);
  });
  await assert.rejects(mine.user.invoke("NoSuchMethod"), /Method does not exist/);
  return mine;
}

const listeners = [
  await listen({}),
  await listen({ skipNegotiation: true, transport: signalr.HttpTransportType.WebSockets }),
];
const all = (good) => () => listeners.every(good);
const busy = all((mine) => mine.quotes > 5 && mine.prints > 0 && mine.levels > 50);
await until("quotes, trades and depth", busy);
const { bars } = await done("History/retrieveBars", {
  contractId, live: false, startTime: BEGIN, endTime: END, unit: 1, unitNumber: 1, limit: 100, includePartialBar: true,
});
assert.ok(bars.length > 0 && bars.every((bar, at) => at === 0 || bar.t < bars[at - 1].t), "bars come newest first");

async function place(customTag, size) {
  const bracket = { stopLossBracket: { ticks: -60, type: 4 }, takeProfitBracket: { ticks: 60, type: 1 } };
  const { orderId } = await done("Order/place", { accountId, contractId, type: 2, side: 0, size, customTag, ...bracket });
  const leg = (mine, type) =>
    [...mine.orders.values()].find((order) => order.parentOrderId === orderId && order.type === type);
  const works = (order) => order?.status === 1 && order.size === size;
  await until("the entry and both legs", all((mine) =>
    mine.orders.get(orderId)?.status === 2 && [1, 4].every((type) => works(leg(mine, type)))));
  return [orderId, leg(listeners[0], 4), leg(listeners[0], 1)];
}

async function flatten() {
  await done("Position/closeContract", { accountId, contractId });
  await until("flat", all((mine) => mine.positions.at(-1).size === 0));
  const { orders } = await done("Order/v2/query", { filter: { accountId, statuses: WORKING } });
  for (const { id } of orders) await done("Order/cancel", { accountId, orderId: id });
  const ended = (order) => !WORKING.includes(order.status);
  await until("no order at work", all((mine) => [...mine.orders.values()].every(ended)));
  assert.deepEqual((await done("Position/searchOpen", { accountId })).positions, []);
}

fault("partial-entries", "--for", "10");
const [entry, stop, target] = await place("oracle-node", 2);
assert.ok(all((mine) => mine.parts.has(entry))(), "filled at once");
const stopPrice = stop.stopPrice - 2;
await done("Order/modify", { accountId, orderId: stop.id, stopPrice });
await until("the moved stop", all((mine) => mine.orders.get(stop.id).stopPrice === stopPrice));
await done("Order/cancel", { accountId, orderId: target.id });
await until("the cancelled leg", all((mine) => mine.orders.get(target.id).status === 3));
await flatten();

fault("line-cut");
await until("all four hubs again", all((mine) => mine.back === 2));
await until("quotes, trades and depth after the cut", busy);
await place("oracle-node-again", 1);
await flatten();
await sleep(1000);

const ORDER = "id status type side size limitPrice stopPrice fillVolume filledPrice customTag parentOrderId".split(" ");
const TRADE = "id orderId price side size profitAndLoss fees commissions".split(" ");
const pick = (names) => (row) => Object.fromEntries(names.filter((name) => name in row).map((name) => [name, row[name]]));
const { orders } = await done("Order/search", { accountId, startTimestamp: BEGIN, endTimestamp: END });
const { trades } = await done("Trade/search", { accountId, startTimestamp: BEGIN, endTimestamp: END });
const { accounts: [{ balance }] } = await done("Account/search", { onlyActiveAccounts: true });
const [first, second] = listeners;
assert.ok(all((mine) => mine.cash.at(-1).balance === balance)(), "balance");
assert.deepEqual(new Map([...first.orders].sort()), new Map([...second.orders].sort()));
assert.deepEqual(first.trades, second.trades);
for (const { user, market } of listeners) for (const hub of [user, market]) await hub.stop();
console.log(JSON.stringify({
  client: "@microsoft/signalr 10.0.11",
  checked: "both hubs negotiated and not, quotes, prints, depth, a bracket filled in parts, stop moved, leg cancelled, "
    + "closed, back after the lines were cut",
  orders: orders.map(pick(ORDER)), trades: trades.map(pick(TRADE)),
  hub_orders: [...first.orders.values()].map(pick(ORDER)), hub_trades: [...second.trades.values()].map(pick(TRADE)),
  balance, refused: [], parts: true,
}));
