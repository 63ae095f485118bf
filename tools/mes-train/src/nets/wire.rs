//! What `mes-train` and `mes-nets` say to each other: a line of JSON, then numbers in little-endian order.

use std::{
    io::{self, BufRead, Read, Write},
    ops::Range,
    path::PathBuf,
};

use mes_pipe::Error;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{options::Options, sample::Slice};

/// What is to be fitted, and on what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub family: String,
    pub options: Options,
    pub seed: u64,
    pub class_weights: [f64; 3],
    /// The samples to train on and to stop by.
    pub train: Range<usize>,
    pub validation: Range<usize>,
    pub checkpoint: PathBuf,
    pub resume: bool,
    /// BLAKE3 of rows, settings and program.
    pub hash: String,
    #[serde(flatten)]
    pub matrix: Matrix,
}

/// Scaled rows, and which of them are a sample.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Matrix {
    /// Features of a row, rows of a sample.
    pub width: usize,
    pub window: usize,
    /// `width` values a row.
    #[serde(skip)]
    pub rows: Vec<f32>,
    /// The place of each sample's last row.
    #[serde(skip)]
    pub ends: Vec<usize>,
    /// 0 down, 1 flat, 2 up.
    #[serde(skip)]
    pub labels: Vec<u8>,
}

impl Matrix {
    /// Returns the samples of a range.
    pub fn slice(&self, range: Range<usize>) -> Slice<'_> {
        Slice::new((self.width, self.window), &self.rows, &self.ends, &self.labels, range)
    }
}

/// How long the parts behind a line are.
#[derive(Serialize, Deserialize)]
struct Sizes {
    values: usize,
    samples: usize,
}

impl Request {
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let Matrix { rows, ends, labels, .. } = &self.matrix;
        line(to, self)?;
        line(to, &Sizes { values: rows.len(), samples: ends.len() })?;
        floats(to, rows)?;
        ends.iter().try_for_each(|end| to.write_all(&(*end as u64).to_le_bytes()))?;
        to.write_all(labels)?;
        to.flush()
    }

    pub fn read(from: &mut impl BufRead) -> io::Result<Request> {
        let mut request: Request = read_line(from)?;
        let Sizes { values, samples } = read_line(from)?;
        let matrix = &mut request.matrix;
        matrix.rows = read_floats(from, values)?;
        let ends = bytes(from, samples * 8)?;
        matrix.ends = ends.as_chunks().0.iter().map(|end| u64::from_le_bytes(*end) as usize).collect();
        matrix.labels = bytes(from, samples)?;
        Ok(request)
    }
}

/// One weight of a net.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weight {
    pub name: String,
    pub dims: Vec<usize>,
    #[serde(skip)]
    pub values: Vec<f32>,
}

/// The weights of a net, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights(pub Vec<Weight>);

impl Weights {
    /// Returns the weight of a name that the net has.
    pub fn get(&self, name: &str) -> &Weight {
        self.0.iter().find(|weight| weight.name == name).expect("both sides of a net name its weights alike")
    }
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Weights, and what the net says of every sample with them: `[samples, 3]` logits.
    Fitted { weights: Weights, logits: Vec<f32> },
    /// The exit code and the words of an error.
    Refused { code: u8, what: String },
}

/// An answer's line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Head {
    Fitted { weights: Vec<Weight>, logits: usize },
    Refused { code: u8, what: String },
}

impl Answer {
    pub fn of_error(error: Error) -> Answer {
        Answer::Refused { code: error.code(), what: error.to_string() }
    }

    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        match self {
            Answer::Refused { code, what } => line(to, &Head::Refused { code: *code, what: what.clone() }),
            Answer::Fitted { weights: Weights(weights), logits } => {
                line(to, &Head::Fitted { weights: weights.clone(), logits: logits.len() })?;
                weights.iter().try_for_each(|weight| floats(to, &weight.values))?;
                floats(to, logits)
            }
        }
    }

    pub fn read(from: &mut impl BufRead) -> io::Result<Answer> {
        Ok(match read_line(from)? {
            Head::Refused { code, what } => Answer::Refused { code, what },
            Head::Fitted { mut weights, logits } => {
                for weight in &mut weights {
                    weight.values = read_floats(from, weight.dims.iter().product())?;
                }
                Answer::Fitted { weights: Weights(weights), logits: read_floats(from, logits)? }
            }
        })
    }
}

fn line(to: &mut impl Write, what: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *to, what)?;
    to.write_all(b"\n")
}

fn read_line<T: DeserializeOwned>(from: &mut impl BufRead) -> io::Result<T> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line)?;
    Ok(serde_json::from_slice(&line)?)
}

fn floats(to: &mut impl Write, values: &[f32]) -> io::Result<()> {
    values.iter().try_for_each(|value| to.write_all(&value.to_le_bytes()))
}

fn read_floats(from: &mut impl Read, count: usize) -> io::Result<Vec<f32>> {
    Ok(bytes(from, count * 4)?.as_chunks().0.iter().map(|value| f32::from_le_bytes(*value)).collect())
}

fn bytes(from: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_heard_to_the_bit() {
        let matrix = Matrix {
            width: 2,
            window: 1,
            rows: vec![1.5, f32::NAN, -0.0, 1e-40],
            ends: vec![0, 1],
            labels: vec![2, 0],
        };
        let request = Request {
            family: "mlp".into(),
            options: Options { hidden: Some(7), ..Options::NONE },
            seed: u64::MAX,
            class_weights: [0.1 + 0.2, 1.0, 3.0],
            train: 0..1,
            validation: 1..2,
            checkpoint: "a b".into(),
            resume: true,
            hash: "h".into(),
            matrix,
        };
        let mut sent = Vec::new();
        request.write(&mut sent).expect("writes");
        let heard = Request::read(&mut sent.as_slice()).expect("reads");
        let bits = |rows: &[f32]| rows.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&heard.matrix.rows), bits(&request.matrix.rows));
        assert_eq!((heard.class_weights, heard.matrix.ends), (request.class_weights, vec![0, 1]));
        for cut in [0, 10, sent.len() - 1] {
            assert!(Request::read(&mut &sent[..cut]).is_err(), "{cut}");
        }

        let weight = Weight { name: "w".into(), dims: vec![2, 1], values: vec![1e-40, 2.0] };
        for answer in [
            Answer::Fitted { weights: Weights(vec![weight]), logits: vec![0.1, 0.2, 0.3] },
            Answer::of_error(Error::data("a line\nof two")),
        ] {
            let mut sent = Vec::new();
            answer.write(&mut sent).expect("writes");
            assert_eq!(Answer::read(&mut sent.as_slice()).expect("reads"), answer);
        }
    }
}
