//! Every bar's equity as a table on disk, written as the bars pass.

use std::{fs::File, io::BufWriter, path::Path, sync::Arc};

use arrow_array::{Int64Array, RecordBatch, TimestampNanosecondArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use mes_core::statement::Statement;
use mes_pipe::{Result, TableFile, schema::instant};

const BATCH_ROWS: usize = 8192;

/// Columns `ts equity_cents balance_cents position`.
pub struct EquityFile {
    file: TableFile<BufWriter<File>>,
    schema: SchemaRef,
    ts: Vec<i64>,
    equity: Vec<i64>,
    balance: Vec<i64>,
    position: Vec<i64>,
}

impl EquityFile {
    /// Begins a Parquet file.
    pub fn create(path: &Path) -> Result<EquityFile> {
        let count = |name| Field::new(name, DataType::Int64, false);
        let ts = Field::new("ts", instant(), false);
        let schema =
            Arc::new(Schema::new(vec![ts, count("equity_cents"), count("balance_cents"), count("position")]));
        let file = TableFile::create(path, &schema)?;
        let (ts, equity, balance, position) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Ok(EquityFile { file, schema, ts, equity, balance, position })
    }

    pub fn push(&mut self, statement: &Statement) -> Result<()> {
        self.ts.push(statement.ts);
        self.equity.push(statement.equity_cents.0);
        self.balance.push(statement.balance_cents.0);
        self.position.push(statement.position);
        if self.ts.len() == BATCH_ROWS { self.write() } else { Ok(()) }
    }

    /// Writes what is left and closes the file.
    pub fn finish(mut self) -> Result<()> {
        self.write()?;
        self.file.finish()
    }

    fn write(&mut self) -> Result<()> {
        let take = |values: &mut Vec<i64>| Arc::new(Int64Array::from(std::mem::take(values)));
        let ts = TimestampNanosecondArray::from(std::mem::take(&mut self.ts)).with_timezone("UTC");
        let (equity, balance, position) =
            (take(&mut self.equity), take(&mut self.balance), take(&mut self.position));
        let batch = RecordBatch::try_new(self.schema.clone(), vec![Arc::new(ts), equity, balance, position])?;
        self.file.write(&batch)
    }
}
