//! Resampling that keeps neighbours together. What is resampled are whole sessions, so that what happened within one
//! stays as it was; blocks of sessions keep what carries over from one to the next.

use mes_core::dice::Draw;

/// Draws `count` indices in blocks of random length, `mean_length` on average, each beginning anywhere and going
/// round at the end. Politis and Romano (1994), "The Stationary Bootstrap", JASA 89:428.
pub fn stationary(count: usize, mean_length: f64, draw: &mut Draw) -> Vec<usize> {
    let mut indices: Vec<usize> = Vec::with_capacity(count);
    for _ in 0..count {
        let next = match indices.last() {
            Some(last) if draw.unit() * mean_length >= 1.0 => (last + 1) % count,
            _ => draw.below(count),
        };
        indices.push(next);
    }
    indices
}

/// Draws `count` indices in blocks of `length`, each beginning anywhere and going round at the end; the last is cut.
/// Politis and Romano (1992), "A Circular Block-Resampling Procedure for Stationary Data".
pub fn circular(count: usize, length: usize, draw: &mut Draw) -> Vec<usize> {
    let mut indices = Vec::with_capacity(count);
    while indices.len() < count {
        let start = draw.below(count);
        let length = length.max(1).min(count - indices.len());
        indices.extend((0..length).map(|step| (start + step) % count));
    }
    indices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::close;

    fn mean_run(indices: &[usize]) -> f64 {
        let breaks = indices.windows(2).filter(|pair| pair[1] != (pair[0] + 1) % 1000).count();
        indices.len() as f64 / (breaks + 1) as f64
    }

    #[test]
    fn blocks_have_their_length_and_every_index_its_turn() {
        let mut draw = Draw::new(1, 1);
        for length in [1.0, 4.0, 10.0] {
            let mut counts = vec![0; 1000];
            let mut runs = 0.0;
            for _ in 0..200 {
                let indices = stationary(1000, length, &mut draw);
                assert_eq!(indices.len(), 1000);
                runs += mean_run(&indices) / 200.0;
                indices.iter().for_each(|&index| counts[index] += 1);
            }
            close("length", runs, length, 0.05 * length);
            assert!(counts.iter().all(|count| (80..320).contains(count)), "{length}");
        }
        let indices = circular(1000, 7, &mut draw);
        assert_eq!(indices.len(), 1000);
        assert!(indices.chunks(7).all(|block| block.windows(2).all(|pair| pair[1] == (pair[0] + 1) % 1000)));
        assert!(stationary(0, 3.0, &mut draw).is_empty() && circular(0, 3, &mut draw).is_empty());
    }
}
