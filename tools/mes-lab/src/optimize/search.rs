//! Which points are tried. What is asked next depends on what was told before and on the number of the question, never
//! on the number of threads.

use std::collections::HashSet;

use mes_core::dice::Draw;
use rand_core::TryRng;
use tpe::{TpeOptimizer, density_estimation::DefaultEstimatorBuilder};

use super::space::{Point, Values, Vary};

/// Points tried anywhere before anything is learnt from them, at least.
const FIRST: usize = 20;
/// How many of the best are gone near to.
const BEST: usize = 5;
/// How far from them at first and at last, as shares of the range.
const WIDE: f64 = 0.3;
const NARROW: f64 = 0.03;
/// So often a point that was asked before is drawn again: as the method draws, then anywhere.
const DRAWS: usize = 16;
const DRAWS_ANYWHERE: usize = 64;
/// Tells these draws from others of the same seed.
const KEY: u64 = 0x0003;

/// How points are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Grid,
    Random,
    Adaptive,
    Tpe,
}

impl Method {
    /// Returns its name, as outcomes have it.
    pub fn name(self) -> &'static str {
        match self {
            Method::Grid => "grid",
            Method::Random => "random",
            Method::Adaptive => "adaptive",
            Method::Tpe => "tpe",
        }
    }
}

/// A search that asks and is told.
pub struct Search<'a> {
    method: Method,
    vary: &'a [Vary],
    count: usize,
    seed: u64,
    asked: usize,
    /// Values that were asked for, and whether there are no others.
    seen: HashSet<String>,
    exhausted: bool,
    /// Points and their scores, the best first.
    ranked: Vec<(f64, usize, Point)>,
    told: usize,
    tpe: Vec<TpeOptimizer<DefaultEstimatorBuilder>>,
}

impl<'a> Search<'a> {
    /// Begins a search of `count` points. A grid has as many as it has; ranges without a step have none.
    ///
    /// # Errors
    ///
    /// Names the key whose range has no step where one is needed, or no room for an estimate.
    pub fn new(method: Method, vary: &'a [Vary], count: usize, seed: u64) -> Result<Search<'a>, String> {
        let count = match method {
            Method::Grid => grid_size(vary)?,
            _ => count,
        };
        let tpe = match method {
            Method::Tpe => vary.iter().map(estimator).collect::<Result<_, _>>()?,
            _ => Vec::new(),
        };
        let (seen, ranked) = (HashSet::new(), Vec::new());
        Ok(Search { method, vary, count, seed, asked: 0, seen, exhausted: false, ranked, told: 0, tpe })
    }

    /// Returns how many points it asks for.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns how it chooses them.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Returns how many combinations there are, if they were fewer than was asked for.
    pub fn exhausted(&self) -> Option<usize> {
        self.exhausted.then_some(self.asked)
    }

    /// Returns the next points, at most `most`, none of them a second time; none when the search is over, or every
    /// combination was asked.
    pub fn ask(&mut self, most: usize) -> Vec<Point> {
        let end = self.count.min(self.asked + most);
        let mut points = Vec::new();
        while self.asked < end && !self.exhausted {
            match self.fresh(self.asked) {
                Some(point) => {
                    self.asked += 1;
                    points.push(point);
                }
                None => self.exhausted = true,
            }
        }
        points
    }

    /// Returns a point that was not asked before: drawn as the method draws, else anywhere, else any that is left.
    fn fresh(&mut self, index: usize) -> Option<Point> {
        if self.method == Method::Grid {
            return Some(grid_point(self.vary, index));
        }
        let mut draw = Draw::new(self.seed, KEY << 32 | index as u64);
        for attempt in 0..DRAWS + DRAWS_ANYWHERE {
            let point = match attempt < DRAWS {
                true => self.point(index, &mut draw),
                false => anywhere(self.vary, &mut draw),
            };
            if self.seen.insert(key(self.vary, &point)) {
                return Some(point);
            }
        }
        let size = grid_size(self.vary).ok()?;
        let start = draw.below(size);
        let all = (0..size).map(|step| grid_point(self.vary, (start + step) % size));
        let left = all.map(|point| (key(self.vary, &point), point)).find(|(key, _)| !self.seen.contains(key));
        let (key, point) = left?;
        self.seen.insert(key);
        Some(point)
    }

    /// Says what a point came to; `None` is worse than anything.
    pub fn tell(&mut self, point: &Point, score: Option<f64>) {
        let score = score.unwrap_or(f64::NEG_INFINITY);
        for (optimizer, place) in self.tpe.iter_mut().zip(point) {
            // It looks for the smallest. A point is within its range, and its score a number or infinite.
            let _ = optimizer.tell(*place, -score);
        }
        let better = |other: &(f64, usize, Point)| other.0 >= score;
        let rank = self.ranked.partition_point(better);
        self.ranked.insert(rank, (score, self.told, point.clone()));
        self.told += 1;
    }

    fn point(&mut self, index: usize, draw: &mut Draw) -> Point {
        match self.method {
            Method::Grid => grid_point(self.vary, index),
            Method::Random => anywhere(self.vary, draw),
            Method::Adaptive => {
                let first = FIRST.max(self.count * 2 / 5);
                if index < first || self.ranked.is_empty() {
                    return anywhere(self.vary, draw);
                }
                let done = (index - first) as f64 / (self.count - first) as f64;
                let share = WIDE + done * (NARROW - WIDE);
                let near = &self.ranked[draw.below(self.ranked.len().min(BEST))].2;
                self.vary.iter().zip(near).map(|(vary, place)| vary.draw_near(*place, share, draw)).collect()
            }
            Method::Tpe if index < FIRST => anywhere(self.vary, draw),
            Method::Tpe => {
                let mut random = Random(draw);
                let ask = |optimizer: &mut TpeOptimizer<DefaultEstimatorBuilder>| optimizer.ask(&mut random);
                let asked: Result<Point, _> = self.tpe.iter_mut().map(ask).collect();
                match asked {
                    Ok(places) => {
                        places.iter().zip(self.vary).map(|(place, vary)| whole(vary, *place)).collect()
                    }
                    Err(_) => anywhere(self.vary, random.0),
                }
            }
        }
    }
}

fn anywhere(vary: &[Vary], draw: &mut Draw) -> Point {
    vary.iter().map(|vary| vary.draw(draw)).collect()
}

/// Tells points apart by their values.
fn key(vary: &[Vary], point: &Point) -> String {
    let values: Vec<String> =
        vary.iter().zip(point).map(|(vary, place)| vary.value(*place).to_string()).collect();
    values.join(",")
}

/// Listed values have whole places.
fn whole(vary: &Vary, place: f64) -> f64 {
    match &vary.values {
        Values::Listed(list) => place.floor().clamp(0.0, (list.len() - 1) as f64),
        Values::Between(..) => place,
    }
}

fn estimator(vary: &Vary) -> Result<TpeOptimizer<DefaultEstimatorBuilder>, String> {
    let (range, estimator) = match &vary.values {
        Values::Listed(list) if !vary.is_ordered() => {
            (tpe::categorical_range(list.len()), tpe::histogram_estimator())
        }
        Values::Listed(list) => (tpe::range(0.0, list.len() as f64), tpe::parzen_estimator()),
        Values::Between(low, high) => (tpe::range(*low, *high), tpe::parzen_estimator()),
    };
    let range = range.map_err(|error| format!("--vary {}: {error}", vary.key))?;
    Ok(TpeOptimizer::new(estimator, range))
}

fn grid_size(vary: &[Vary]) -> Result<usize, String> {
    let mut size = 1_usize;
    for vary in vary {
        let count = vary.count().ok_or_else(|| {
            format!("--vary {}: a grid needs a step, such as {}=0.6..0.8/0.05", vary.key, vary.key)
        })?;
        size = size
            .checked_mul(count)
            .filter(|size| *size <= 1_000_000)
            .ok_or("a grid of more than a million points")?;
    }
    Ok(size)
}

/// The last key moves fastest.
fn grid_point(vary: &[Vary], index: usize) -> Point {
    let mut rest = index;
    let mut point: Point = vary
        .iter()
        .rev()
        .map(|vary| {
            let count = vary.count().unwrap_or(1);
            let place = rest % count;
            rest /= count;
            place as f64
        })
        .collect();
    point.reverse();
    point
}

/// The pinned stream, as the crate wants it.
struct Random<'a>(&'a mut Draw);

impl TryRng for Random<'_> {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok((self.0.bits() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(self.0.bits())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.0.bits().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes() -> Vec<Vary> {
        ["a=0..20", "b=0.0..1.0", "c=x,y,z"].map(|text| text.parse().expect("reads")).to_vec()
    }

    /// Best 0 at a = 13, b = 0.4, c = y.
    fn score(point: &Point) -> Option<f64> {
        let c = if point[2] == 1.0 { 0.0 } else { 1.0 };
        Some(-((point[0] - 13.0) / 20.0).powi(2) - (point[1] - 0.4).powi(2) - 0.1 * c)
    }

    fn best(method: Method, count: usize, seed: u64) -> f64 {
        let axes = axes();
        let mut search = Search::new(method, &axes, count, seed).expect("a search");
        let mut best = f64::NEG_INFINITY;
        loop {
            let points = search.ask(16);
            if points.is_empty() {
                return best;
            }
            for point in points {
                let found = score(&point);
                best = best.max(found.expect("a score"));
                search.tell(&point, found);
            }
        }
    }

    #[test]
    fn a_grid_is_every_point_once() {
        let axes: Vec<Vary> = ["a=1..3", "c=x,y"].map(|text| text.parse().expect("reads")).to_vec();
        let mut search = Search::new(Method::Grid, &axes, 0, 1).expect("a search");
        let all = [search.ask(4), search.ask(100), search.ask(1)].concat();
        assert_eq!(all, [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [2.0, 0.0], [2.0, 1.0]]);
        assert!(Search::new(Method::Grid, &self::axes(), 0, 1).is_err());
    }

    #[test]
    fn who_learns_comes_nearer_than_who_guesses() {
        let mean = |method| (0..10).map(|seed| best(method, 100, seed)).sum::<f64>() / 10.0;
        let (random, adaptive, tpe) = (mean(Method::Random), mean(Method::Adaptive), mean(Method::Tpe));
        assert!(adaptive > random / 2.0 && tpe > random / 2.0, "{random} {adaptive} {tpe}");
    }

    #[test]
    fn the_same_seed_asks_the_same() {
        for method in [Method::Random, Method::Adaptive, Method::Tpe] {
            assert_eq!(best(method, 60, 3).to_bits(), best(method, 60, 3).to_bits());
            assert_ne!(best(method, 60, 3), best(method, 60, 4));
        }
    }

    /// So many trials as were asked for, none twice, and every combination before it ends.
    #[test]
    fn a_point_is_asked_once() {
        let axes: Vec<Vary> = ["a=1..20", "c=5..17"].map(|text| text.parse().expect("reads")).to_vec();
        for method in [Method::Random, Method::Adaptive, Method::Tpe] {
            for (count, want, left) in [(96, 96, None), (260, 260, None), (300, 260, Some(260))] {
                let mut search = Search::new(method, &axes, count, 1).expect("a search");
                let mut asked = HashSet::new();
                loop {
                    let points = search.ask(16);
                    if points.is_empty() {
                        break;
                    }
                    for point in points {
                        search.tell(&point, Some(-(point[0] - 7.0).abs() - (point[1] - 3.0).abs()));
                        assert!(asked.insert(key(&axes, &point)), "{method:?} {point:?}");
                    }
                }
                assert_eq!((asked.len(), search.exhausted()), (want, left), "{method:?}");
            }
        }
    }

    #[test]
    fn no_score_at_all_is_survived() {
        let axes = axes();
        for method in [Method::Random, Method::Adaptive, Method::Tpe] {
            let mut search = Search::new(method, &axes, 60, 1).expect("a search");
            for _ in 0..4 {
                search.ask(16).iter().for_each(|point| search.tell(point, None));
            }
        }
    }
}
