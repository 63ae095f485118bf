//! What a row of each table says. A column is a line in a table here, and a cell in the function below it.

use mes_core::{
    order::Action,
    statement::{Fill, Statement},
    verdict::Verdict,
};

use super::{
    What,
    cells::{Cell, Of},
};

/// What `--help` says of the columns.
pub const HELP: &str = "Columns:
  fills       ts, order (that asked for it), side, contracts, price, slippage_ticks, spread_ticks (both part of the
              price), commission_usd, gross_usd (of what it closed), exit (why; empty for an entry), ambiguous
  orders      ts, order, signal, action (enter, exit, move_stop), side, contracts, stop_ticks, target_ticks,
              confidence, reason (of an exit), stop (where it is moved to), limit (the worst price to enter at; empty
              at market), lifetime_ms (for how long it waits there)
  denials     ts, signal, rule (its unit ends its name), value, limit
  statements  ts, seen (the last order taken over), position, entry_price, balance_usd, equity_usd, working, fills,
              refused (how many of each), locked

Examples:
  mes-bt table fills runs/today/journal.jsonl --to csv
  mes-bt table statements --to parquet runs/today/journal.jsonl > statements.parquet

Exit codes: 0 done, 1 failed, 2 arguments, 3 data";

type Columns = &'static [(&'static str, Of)];

const FILLS: Columns = &[
    ("ts", Of::Ts),
    ("order", Of::Whole),
    ("side", Of::Text),
    ("contracts", Of::Whole),
    ("price", Of::Real),
    ("slippage_ticks", Of::Whole),
    ("spread_ticks", Of::Whole),
    ("commission_usd", Of::Real),
    ("gross_usd", Of::Real),
    ("exit", Of::Text),
    ("ambiguous", Of::Is),
];
const ORDERS: Columns = &[
    ("ts", Of::Ts),
    ("order", Of::Whole),
    ("signal", Of::Text),
    ("action", Of::Text),
    ("side", Of::Text),
    ("contracts", Of::Whole),
    ("stop_ticks", Of::Whole),
    ("target_ticks", Of::Whole),
    ("confidence", Of::Real),
    ("reason", Of::Text),
    ("stop", Of::Real),
    ("limit", Of::Real),
    ("lifetime_ms", Of::Whole),
];
const DENIALS: Columns =
    &[("ts", Of::Ts), ("signal", Of::Text), ("rule", Of::Text), ("value", Of::Real), ("limit", Of::Real)];
const STATEMENTS: Columns = &[
    ("ts", Of::Ts),
    ("seen", Of::Whole),
    ("position", Of::Whole),
    ("entry_price", Of::Real),
    ("balance_usd", Of::Real),
    ("equity_usd", Of::Real),
    ("working", Of::Whole),
    ("fills", Of::Whole),
    ("refused", Of::Whole),
    ("locked", Of::Is),
];

/// Returns the name of a table.
pub fn name(what: What) -> &'static str {
    match what {
        What::Fills => "fills",
        What::Orders => "orders",
        What::Denials => "denials",
        What::Statements => "statements",
    }
}

/// Returns the columns of a table.
pub fn columns(what: What) -> Columns {
    match what {
        What::Fills => FILLS,
        What::Orders => ORDERS,
        What::Denials => DENIALS,
        What::Statements => STATEMENTS,
    }
}

/// Ids stay below 2⁵³.
fn id(id: u64) -> Cell {
    Cell::Whole(id as i64)
}

fn count<T>(of: &[T]) -> Cell {
    Cell::Whole(of.len() as i64)
}

/// Returns the cells of a fill, in the order of its columns.
pub fn fill(fill: &Fill) -> Vec<Cell> {
    vec![
        Cell::Ts(fill.ts),
        fill.order.map_or(Cell::Null, id),
        Cell::word(fill.side),
        Cell::Whole(fill.contracts),
        Cell::Real(fill.price.points()),
        fill.slippage_ticks.map_or(Cell::Null, Cell::Whole),
        fill.spread_ticks.map_or(Cell::Null, Cell::Whole),
        Cell::usd(fill.commission_cents),
        Cell::usd(fill.gross_cents),
        fill.exit.map_or(Cell::Null, Cell::word),
        fill.ambiguous.map_or(Cell::Null, Cell::Is),
    ]
}

/// Returns a row of an order, and none of another verdict.
pub fn order(verdict: &Verdict) -> Option<Vec<Cell>> {
    let Verdict::Order(order) = verdict else { return None };
    let mut row = vec![Cell::Ts(order.ts), id(order.id), Cell::word(order.signal)];
    row.extend(match &order.action {
        Action::Enter { side, contracts, stop_ticks, target_ticks, confidence, limit } => [
            Cell::Text("enter".into()),
            Cell::word(side),
            Cell::Whole(*contracts),
            Cell::Whole(*stop_ticks),
            Cell::Whole(*target_ticks),
            Cell::Real(f64::from(*confidence)),
            Cell::Null,
            Cell::Null,
            limit.map_or(Cell::Null, |limit| Cell::Real(limit.price.points())),
            limit.map_or(Cell::Null, |limit| Cell::Whole(i64::from(limit.lifetime_ms))),
        ],
        Action::Exit { reason, .. } => alone("exit", Cell::word(reason), Cell::Null),
        Action::MoveStop { stop, .. } => alone("move_stop", Cell::Null, Cell::Real(stop.points())),
    });
    Some(row)
}

/// Returns the cells of an order that enters nothing.
fn alone(action: &str, reason: Cell, stop: Cell) -> [Cell; 10] {
    let [side, contracts, stop_ticks, target_ticks, confidence, limit, lifetime] = [const { Cell::Null }; 7];
    let action = Cell::Text(action.into());
    [action, side, contracts, stop_ticks, target_ticks, confidence, reason, stop, limit, lifetime]
}

/// Returns a row of a denial, and none of another verdict.
pub fn denial(verdict: &Verdict) -> Option<Vec<Cell>> {
    let Verdict::Deny { ts, signal, rule, value, limit } = verdict else { return None };
    let (value, limit) = (Cell::Real(*value), Cell::Real(*limit));
    Some(vec![Cell::Ts(*ts), Cell::word(signal), Cell::Text(rule.clone()), value, limit])
}

/// Returns the cells of a statement, in the order of its columns.
pub fn statement(statement: &Statement) -> Vec<Cell> {
    vec![
        Cell::Ts(statement.ts),
        id(statement.seen),
        Cell::Whole(statement.position),
        statement.entry_price.map_or(Cell::Null, Cell::Real),
        Cell::usd(statement.balance_cents),
        Cell::usd(statement.equity_cents),
        count(&statement.working),
        count(&statement.fills),
        count(&statement.refused),
        Cell::Is(statement.locked),
    ]
}

#[cfg(test)]
mod tests {
    use mes_core::order::Side;

    use super::*;

    #[test]
    fn every_column_is_told_and_money_is_in_dollars() {
        for what in [What::Fills, What::Orders, What::Denials, What::Statements] {
            let told = HELP.split_once(&format!("  {} ", name(what))).expect("a line of help").1;
            for (column, _) in columns(what) {
                assert!(told.contains(column), "{column} of {}", name(what));
                assert!(!column.ends_with("_cents"), "{column}");
            }
        }
    }

    #[test]
    fn a_row_has_a_cell_a_column() {
        let statement = Statement::default();
        assert_eq!(super::statement(&statement).len(), STATEMENTS.len());
        let exit = alone("exit", Cell::Null, Cell::Null);
        assert_eq!(exit.len() + 3, ORDERS.len());
        assert_eq!(Cell::word(Side::Buy), Cell::Text("buy".into()));
    }
}
