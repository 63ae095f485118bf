//! The service's own limits on calls: so many in a rolling window.

use std::collections::VecDeque;

use mes_core::time::{SECOND, Ts};

/// Counts calls.
#[derive(Debug)]
pub struct Window {
    most: usize,
    span: i64,
    made: VecDeque<Ts>,
}

impl Window {
    /// Allows so many in so many seconds.
    pub fn new(most: usize, seconds: i64) -> Window {
        Window { most, span: seconds * SECOND, made: VecDeque::new() }
    }

    /// Takes one call in; says whether it is allowed. One that is not does not count.
    pub fn take(&mut self, now: Ts) -> bool {
        while self.made.front().is_some_and(|made| now - made >= self.span) {
            self.made.pop_front();
        }
        let free = self.made.len() < self.most;
        if free {
            self.made.push_back(now);
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_free_once_an_old_one_has_left_the_window() {
        let mut window = Window::new(2, 60);
        assert!(window.take(0) && window.take(SECOND) && !window.take(2 * SECOND));
        assert!(window.take(60 * SECOND) && !window.take(60 * SECOND) && window.take(61 * SECOND));
    }
}
