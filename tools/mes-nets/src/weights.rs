//! The weights of a net: named, in order, begun by a seed.

use candle_core::{Device, Tensor, Var};
use mes_core::throws;
use mes_pipe::fitting::Weight;

use crate::Candle;

/// All weights of a net, in the order in which it asked for them.
pub struct Weights {
    names: Vec<String>,
    vars: Vec<Var>,
    seed: u64,
    device: Device,
}

impl Weights {
    /// Begins without any; `seed` decides what is drawn, `device` is where they lie.
    pub fn new(seed: u64, device: Device) -> Weights {
        Weights { names: Vec::new(), vars: Vec::new(), seed, device }
    }

    /// Returns where they lie, and with them whatever they are multiplied by.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Makes a weight that is spread evenly between ±`bound`.
    pub fn even(&mut self, name: &str, dims: &[usize], bound: f32) -> Candle<Tensor> {
        let seed = throws::seed(self.seed, self.vars.len() as u64);
        let count = dims.iter().product::<usize>() as u64;
        self.add(name, dims, (0..count).map(|place| throws::even(seed, place) * bound).collect())
    }

    /// Makes a weight of given values. What a net keeps of it follows the training.
    pub fn add(&mut self, name: &str, dims: &[usize], values: Vec<f32>) -> Candle<Tensor> {
        let var = Var::from_vec(values, dims, &self.device)?;
        let tensor = var.as_tensor().clone();
        self.names.push(name.to_owned());
        self.vars.push(var);
        Ok(tensor)
    }

    /// Returns all, for their gradients.
    pub fn vars(&self) -> &[Var] {
        &self.vars
    }

    /// Returns the values of all, one after the other.
    pub fn values(&self) -> Vec<Vec<f32>> {
        self.vars.iter().map(|var| values(var)).collect()
    }

    /// Returns all by name, for whoever writes the model.
    pub fn named(&self) -> Vec<Weight> {
        let all = self.names.iter().zip(&self.vars);
        all.map(|(name, var)| Weight { name: name.clone(), dims: var.dims().to_vec(), values: values(var) })
            .collect()
    }

    /// Sets all to what [`Weights::values`] gave.
    pub fn set(&self, values: &[Vec<f32>]) -> Candle<()> {
        for (var, values) in self.vars.iter().zip(values) {
            var.set(&Tensor::from_slice(values, var.shape(), &self.device)?)?;
        }
        Ok(())
    }
}

/// Returns the values of a tensor of f32, row by row.
pub fn values(tensor: &Tensor) -> Vec<f32> {
    let flat = tensor.flatten_all().and_then(|flat| flat.to_vec1());
    flat.expect("weights and their gradients are f32")
}
