//! Every bar's equity as a table on disk, written as the bars pass, money in dollars.

use std::{fs::File, io::BufWriter, path::Path, sync::Arc};

use arrow_array::{Float64Array, Int64Array, RecordBatch, TimestampNanosecondArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use mes_core::statement::Statement;
use mes_pipe::{Result, TableFile, schema::instant};

const BATCH_ROWS: usize = 8192;

/// Columns `ts equity_usd balance_usd position`.
pub struct EquityFile {
    file: TableFile<BufWriter<File>>,
    schema: SchemaRef,
    ts: Vec<i64>,
    equity: Vec<f64>,
    balance: Vec<f64>,
    position: Vec<i64>,
}

impl EquityFile {
    /// Begins a Parquet file.
    ///
    /// # Errors
    ///
    /// `Failed` where the folder does not take it.
    pub fn create(path: &Path) -> Result<EquityFile> {
        let usd = |name| Field::new(name, DataType::Float64, false);
        let position = Field::new("position", DataType::Int64, false);
        let ts = Field::new("ts", instant(), false);
        let schema = Arc::new(Schema::new(vec![ts, usd("equity_usd"), usd("balance_usd"), position]));
        let file = TableFile::create(path, &schema)?;
        let (ts, equity, balance, position) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Ok(EquityFile { file, schema, ts, equity, balance, position })
    }

    /// Adds the account as of a bar.
    ///
    /// # Errors
    ///
    /// `Failed` where the disk does not take it.
    pub fn push(&mut self, statement: &Statement) -> Result<()> {
        self.ts.push(statement.ts);
        self.equity.push(statement.equity_cents.usd());
        self.balance.push(statement.balance_cents.usd());
        self.position.push(statement.position);
        if self.ts.len() == BATCH_ROWS { self.write() } else { Ok(()) }
    }

    /// Writes what is left and closes the file.
    ///
    /// # Errors
    ///
    /// `Failed` where the disk does not take it.
    pub fn finish(mut self) -> Result<()> {
        self.write()?;
        self.file.finish()
    }

    fn write(&mut self) -> Result<()> {
        let take = |values: &mut Vec<f64>| Arc::new(Float64Array::from(std::mem::take(values)));
        let ts = TimestampNanosecondArray::from(std::mem::take(&mut self.ts)).with_timezone("UTC");
        let (equity, balance) = (take(&mut self.equity), take(&mut self.balance));
        let position = Arc::new(Int64Array::from(std::mem::take(&mut self.position)));
        let batch = RecordBatch::try_new(self.schema.clone(), vec![Arc::new(ts), equity, balance, position])?;
        self.file.write(&batch)
    }
}
