//! Sums of gradients and hessians by bin, as whole numbers: the sum of any parts in any order is the same to the bit,
//! and a child's histogram is its parent's less its sibling's without an error.

use super::bins::LANES;

/// A gradient and a hessian, of a row or of many: fixed-point numbers, the gradient in the upper 32 bits, the hessian
/// in the lower, so that one addition adds both. [`Scale`] sees to it that no sum overflows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum(i64);

/// Steps per unit.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    gradient: f64,
    hessian: f64,
}

/// The sums of eight features by bin: 16 KB, which stay in the nearest cache.
pub type Group = [[Sum; 256]; LANES];

/// Sums of no rows.
pub const EMPTY: Group = [[Sum(0); 256]; LANES];

impl Scale {
    /// Finds the finest steps such that sums over `rows` of `weight` in all fit: their gradients are within ± weight,
    /// their hessians within 0 to weight × `hessian`.
    pub fn of(rows: usize, weight: f64, hessian: f64) -> Scale {
        // What rounding adds to a sum is half a step a row.
        let steps = f64::from(u32::MAX / 2) - rows as f64;
        Scale { gradient: steps / weight, hessian: 2.0 * steps / (weight * hessian) }
    }

    /// Rounds a row's gradient and hessian (not below 0) to steps.
    pub fn sum(&self, gradient: f64, hessian: f64) -> Sum {
        let nearest = |value: f64| (value + 0.5_f64.copysign(value)) as i64;
        Sum((nearest(gradient * self.gradient) << 32) + nearest(hessian * self.hessian))
    }

    /// Returns the gradients of a sum.
    pub fn gradient(&self, sum: Sum) -> f64 {
        (sum.0 >> 32) as f64 / self.gradient
    }

    /// Returns the hessians of a sum.
    pub fn hessian(&self, sum: Sum) -> f64 {
        (sum.0 & 0xffff_ffff) as f64 / self.hessian
    }
}

impl Sum {
    // Wrapping, since a check at every addition would cost a third of the time; see `Scale::of`.
    /// Adds another sum.
    pub fn plus(self, other: Sum) -> Sum {
        Sum(self.0.wrapping_add(other.0))
    }

    /// Takes another sum off.
    pub fn less(self, other: Sum) -> Sum {
        Sum(self.0.wrapping_sub(other.0))
    }
}

/// Adds rows to a group: `bins` of all rows, `sums` of `rows` in their order.
pub fn fill(group: &mut Group, bins: &[[u8; LANES]], rows: &[u32], sums: &[Sum]) {
    for (&row, &sum) in rows.iter().zip(sums) {
        let lanes = bins[row as usize];
        for (by_bin, bin) in group.iter_mut().zip(lanes) {
            let cell = &mut by_bin[usize::from(bin)];
            *cell = cell.plus(sum);
        }
    }
}

/// Takes a child's sums off its parent's.
pub fn subtract(parent: &mut Group, child: &Group) {
    for (left, taken) in parent.as_flattened_mut().iter_mut().zip(child.as_flattened()) {
        *left = left.less(*taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_sums_fit_and_small_ones_are_near() {
        let rows = 100_000;
        let scale = Scale::of(rows, rows as f64 * 1.5, 0.375);
        for gradient in [-1.5, -0.3, 0.0, 1e-3, 1.5] {
            let one = scale.sum(gradient, 0.375 * 1.5);
            let all = (0..rows).fold(Sum::default(), |sum, _| sum.plus(one));
            let (g, h) = (scale.gradient(all) / rows as f64, scale.hessian(all) / rows as f64);
            assert!((g - gradient).abs() < 1e-4 && (h - 0.375 * 1.5).abs() < 1e-4, "{g} {h}");
            assert_eq!(all.less(one).plus(one), all);
        }
    }
}
