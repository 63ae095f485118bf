//! What `mes-train` and `mes-nets`, the program that fits its nets, say to each other: lines of JSON, with numbers in
//! little-endian order behind the first and the last.

use std::{
    io::{self, BufRead, Read, Write},
    ops::Range,
    path::PathBuf,
};

use clap::ValueEnum;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::Error;

/// Values that are turned into bytes at once.
const BLOCK: usize = 1 << 14;

/// What computes a fit. Two devices round otherwise: their models are compared by tolerance, and say which they are of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// One core of this machine
    #[default]
    Cpu,
    /// The first graphics card; needs a mes-nets that was built with it
    Cuda,
}

impl Device {
    /// Says whether it is the usual one, which cards do not name.
    pub fn is_cpu(&self) -> bool {
        *self == Device::Cpu
    }
}

/// What is to be fitted, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The name of the net, such as `lstm`.
    pub net: String,
    /// What computes it.
    pub device: Device,
    /// Its width.
    pub hidden: u32,
    /// Passes over the training samples at most, and how many may go by without a better loss on the validation ones.
    pub epochs: u32,
    pub patience: u32,
    /// Samples of one step.
    pub batch: u32,
    pub learning_rate: f64,
    /// Pull of the weights towards 0, as a share of the learning rate.
    pub weight_decay: f64,
    pub seed: u64,
    /// What a sample of each class weighs in the loss: down, flat, up.
    pub class_weights: [f64; 3],
    /// The samples to train on and to stop by.
    pub train: Range<usize>,
    pub validation: Range<usize>,
    /// Where an epoch leaves what it has, and whether to go on from what is there.
    pub checkpoint: PathBuf,
    pub resume: bool,
    /// BLAKE3 of rows, settings and program; a checkpoint of anything else is refused.
    pub hash: String,
}

/// Scaled rows, and which of them are a sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    /// Features of a row.
    pub width: usize,
    /// Rows of a sample.
    pub window: usize,
    /// `rows × width` values, row by row.
    pub rows: Vec<f32>,
    /// The place of each sample's last row; those before it are its window.
    pub ends: Vec<usize>,
    /// 0 down, 1 flat, 2 up.
    pub labels: Vec<u8>,
}

impl Matrix {
    /// Returns how many samples there are.
    pub fn samples(&self) -> usize {
        self.ends.len()
    }

    /// Returns a sample's `window × width` values, row by row.
    pub fn values(&self, sample: usize) -> &[f32] {
        let end = self.ends[sample] + 1;
        &self.rows[(end - self.window) * self.width..end * self.width]
    }

    fn holds(&self, range: &Range<usize>) -> bool {
        range.start <= range.end && range.end <= self.samples()
    }

    /// Says whether every sample's window lies in the rows, and its label is a class.
    fn whole(&self) -> bool {
        let rows = self.rows.len().checked_div(self.width).unwrap_or_default();
        self.window > 0
            && self.ends.iter().all(|end| *end < rows && *end + 1 >= self.window)
            && self.labels.iter().all(|label| *label <= 2)
    }
}

/// The line before a matrix.
#[derive(Serialize, Deserialize)]
struct Sizes {
    width: usize,
    window: usize,
    values: usize,
    samples: usize,
}

/// Writes an order and its matrix, of which `rows` gives as many values as are said: as they are to be seen by the net,
/// so that no copy of all of them is made.
///
/// # Errors
///
/// Whatever writing gives, such as a reader that is gone.
pub fn send(
    to: &mut impl Write,
    order: &Order,
    (width, window): (usize, usize),
    (values, rows): (usize, impl Iterator<Item = f32>),
    (ends, labels): (&[usize], &[u8]),
) -> io::Result<()> {
    line(to, order)?;
    line(to, &Sizes { width, window, values, samples: ends.len() })?;
    floats(to, rows)?;
    ends.iter().try_for_each(|end| to.write_all(&(*end as u64).to_le_bytes()))?;
    to.write_all(labels)?;
    to.flush()
}

/// Reads what [`send`] wrote.
///
/// # Errors
///
/// Whatever reading gives; `InvalidData` where it is no order, or one whose samples are not in its rows.
pub fn receive(from: &mut impl BufRead) -> io::Result<(Order, Matrix)> {
    let order: Order = read_line(from)?;
    let Sizes { width, window, values, samples } = read_line(from)?;
    let rows = read_floats(from, values)?;
    let ends = read(from, samples, |end: [u8; 8]| u64::from_le_bytes(end) as usize)?;
    let labels = read(from, samples, |[label]: [u8; 1]| label)?;
    let matrix = Matrix { width, window, rows, ends, labels };
    let held =
        matrix.whole() && [&order.train, &order.validation].into_iter().all(|range| matrix.holds(range));
    if held { Ok((order, matrix)) } else { Err(wrong("samples that are not in its rows")) }
}

/// One weight of a net.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weight {
    pub name: String,
    pub dims: Vec<usize>,
    /// As many as `dims` say, the last of them fastest.
    #[serde(skip)]
    pub values: Vec<f32>,
}

/// What is said while a net is fitted; [`Said::Fitted`] and [`Said::Refused`] are the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Something for the person who waits.
    Note(String),
    /// So many steps in all, and so many of them done by an earlier run.
    Begins { total: usize, done: usize },
    /// One step is done, and what it came to.
    Step(String),
    /// The weights, what the net says of every sample with them (`samples × 3` logits), and the hash of the sources of
    /// the program that made them.
    Fitted {
        weights: Vec<Weight>,
        samples: usize,
        code: String,
        #[serde(skip)]
        logits: Vec<f32>,
    },
    /// The exit code and the words of an error.
    Refused { code: u8, what: String },
}

impl Said {
    /// Makes an answer of an error.
    pub fn of_error(error: &Error) -> Said {
        Said::Refused { code: error.code(), what: error.to_string() }
    }

    /// Writes it, and whatever was held back.
    ///
    /// # Errors
    ///
    /// Whatever writing gives.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        line(to, self)?;
        if let Said::Fitted { weights, logits, .. } = self {
            weights.iter().try_for_each(|weight| floats(to, weight.values.iter().copied()))?;
            floats(to, logits.iter().copied())?;
        }
        to.flush()
    }

    /// Reads what [`Said::write`] wrote.
    ///
    /// # Errors
    ///
    /// Whatever reading gives; `InvalidData` where it is nothing of the kind.
    pub fn read(from: &mut impl BufRead) -> io::Result<Said> {
        let mut said: Said = read_line(from)?;
        if let Said::Fitted { weights, samples, logits, .. } = &mut said {
            for weight in weights {
                weight.values = read_floats(from, product(&weight.dims)?)?;
            }
            *logits = read_floats(from, product(&[*samples, 3])?)?;
        }
        Ok(said)
    }
}

fn product(dims: &[usize]) -> io::Result<usize> {
    let count = dims.iter().try_fold(1_usize, |count, dim| count.checked_mul(*dim));
    count.ok_or_else(|| wrong("more numbers than there can be"))
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn line(to: &mut impl Write, what: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *to, what)?;
    to.write_all(b"\n")
}

fn read_line<T: DeserializeOwned>(from: &mut impl BufRead) -> io::Result<T> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&line)?)
}

fn floats(to: &mut impl Write, mut values: impl Iterator<Item = f32>) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(4 * BLOCK);
    loop {
        bytes.clear();
        bytes.extend(values.by_ref().take(BLOCK).flat_map(f32::to_le_bytes));
        if bytes.is_empty() {
            return Ok(());
        }
        to.write_all(&bytes)?;
    }
}

fn read_floats(from: &mut impl Read, count: usize) -> io::Result<Vec<f32>> {
    read(from, count, f32::from_le_bytes)
}

/// Reads `count` values of `N` bytes each, by blocks: what was not sent takes no memory.
fn read<const N: usize, T>(
    from: &mut impl Read,
    count: usize,
    value: fn([u8; N]) -> T,
) -> io::Result<Vec<T>> {
    let (mut values, mut block) = (Vec::new(), vec![[0; N]; BLOCK.min(count)]);
    while values.len() < count {
        let block = &mut block[..BLOCK.min(count - values.len())];
        from.read_exact(block.as_flattened_mut())?;
        if values.is_empty() {
            // The other side is there and sends: it will send all.
            values.try_reserve_exact(count)?;
        }
        values.extend(block.iter().copied().map(value));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Order {
        Order {
            net: "mlp".into(),
            device: Device::Cpu,
            hidden: 7,
            epochs: 3,
            patience: 2,
            batch: 64,
            learning_rate: 1e-3,
            weight_decay: 1.0 / 3.0,
            seed: u64::MAX,
            class_weights: [0.1 + 0.2, 1.0, 3.0],
            train: 0..1,
            validation: 1..2,
            checkpoint: "a b".into(),
            resume: true,
            hash: "h".into(),
        }
    }

    fn sent(order: &Order, rows: &[f32], ends: &[usize], labels: &[u8]) -> Vec<u8> {
        let mut sent = Vec::new();
        send(&mut sent, order, (2, 1), (rows.len(), rows.iter().copied()), (ends, labels)).expect("writes");
        sent
    }

    #[test]
    fn an_order_is_heard_to_the_bit_or_not_at_all() {
        let rows = [1.5, f32::NAN, -0.0, 1e-40];
        let sent = sent(&order(), &rows, &[0, 1], &[2, 0]);
        let (heard, matrix) = receive(&mut sent.as_slice()).expect("reads");
        assert_eq!(heard, order());
        let bits = |rows: &[f32]| rows.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&matrix.rows), bits(&rows));
        assert_eq!((matrix.ends, matrix.labels), (vec![0, 1], vec![2, 0]));
        for cut in 0..sent.len() {
            assert!(receive(&mut &sent[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn samples_outside_of_the_rows_are_refused() {
        let refused = |order: &Order, ends: &[usize], labels: &[u8]| {
            let error = receive(&mut sent(order, &[0.0; 4], ends, labels).as_slice()).expect_err("refused");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        };
        refused(&order(), &[0, 2], &[0, 1]);
        refused(&order(), &[0, 1], &[0, 3]);
        refused(&Order { validation: 1..3, ..order() }, &[0, 1], &[0, 1]);
    }

    #[test]
    fn an_answer_is_heard_to_the_bit_or_not_at_all() {
        let weight = |name: &str, values: &[f32]| Weight {
            name: name.into(),
            dims: vec![values.len(), 1],
            values: values.to_vec(),
        };
        let many: Vec<f32> = (0..2 * BLOCK + 1).map(|place| place as f32).collect();
        for said in [
            Said::Note("a \"note\"\nof two lines".into()),
            Said::Begins { total: 7, done: 2 },
            Said::Step("loss 0.5".into()),
            Said::Fitted {
                weights: vec![weight("w", &[1e-40, 2.0]), weight("v", &many)],
                samples: 1,
                code: "c".into(),
                logits: vec![0.1, 0.2, 0.3],
            },
            Said::of_error(&Error::data("a line\nof two")),
        ] {
            let mut sent = Vec::new();
            said.write(&mut sent).expect("writes");
            assert!(Said::read(&mut sent.as_slice()).expect("reads") == said);
            assert!(Said::read(&mut &sent[..sent.len() - 2]).is_err() && Said::read(&mut &b""[..]).is_err());
        }
    }
}
