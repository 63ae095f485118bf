//! Who is told what, and when: routes, repetitions, pace, quiet hours. Pure: `(state, alert or time, now) → deliveries`.

mod pace;
mod plan;
mod repeats;
mod watch;

use std::collections::BTreeMap;

use mes_core::time::Ts;

use crate::{
    alert::{Alert, Delivery, Message},
    kinds::Priority,
};

use pace::Bucket;
pub use plan::{Pace, Plan, Quiet, Route, fits};
use repeats::Repeats;
pub use watch::Watch;

/// How many alerts wait for one place; further ones are counted.
const WAITING: usize = 50;
/// How many urgent alerts a minute one channel gets one by one; beyond them they come together.
const URGENT_PER_MINUTE: u32 = 30;

/// Decides on every alert.
pub struct Desk {
    plan: Plan,
    repeats: Repeats,
    /// By the first channel.
    pace: BTreeMap<String, Outlet>,
    /// What waits for its time, by the channels that it is for.
    waiting: BTreeMap<Vec<String>, Waiting>,
}

struct Outlet {
    calm: Bucket,
    urgent: Bucket,
    rings: bool,
}

#[derive(Default)]
struct Waiting {
    alerts: Vec<Alert>,
    left_out: u64,
}

impl Desk {
    /// Begins with nothing told.
    pub fn new(plan: Plan) -> Desk {
        let outlet = |pace: &Pace| Outlet {
            calm: Bucket::new(pace.per_minute),
            urgent: Bucket::new(URGENT_PER_MINUTE),
            rings: pace.quiet,
        };
        let pace = plan.channels.iter().map(|(name, pace)| (name.clone(), outlet(pace))).collect();
        Desk { repeats: Repeats::new(plan.same), plan, pace, waiting: BTreeMap::new() }
    }

    /// Tells an alert: returns what goes out now. What does not waits, and comes of [`Desk::tick`].
    pub fn tell(&mut self, mut alert: Alert, now: Ts) -> Vec<Delivery> {
        if let Some(priority) = self.plan.priorities.get(&alert.kind) {
            alert.priority = *priority;
        }
        if !self.repeats.is_new(&alert, now) {
            return Vec::new();
        }
        self.route(&alert, now)
    }

    /// Returns what time has brought: what waited, and how often something was repeated.
    pub fn tick(&mut self, now: Ts) -> Vec<Delivery> {
        let mut out = Vec::new();
        for alert in self.repeats.over(now) {
            out.extend(self.route(&alert, now));
        }
        let places: Vec<_> = self.waiting.keys().cloned().collect();
        for to in places {
            let urgent = self.waiting[&to].alerts.iter().any(|alert| alert.priority == Priority::Urgent);
            if self.may_go(&to[0], urgent, now) {
                out.extend(self.release(to));
            }
        }
        out
    }

    /// Returns all that waits, since nothing more will come.
    pub fn close(&mut self, now: Ts) -> Vec<Delivery> {
        let mut out = Vec::new();
        for alert in self.repeats.over(Ts::MAX) {
            out.extend(self.route(&alert, now));
        }
        let places: Vec<_> = self.waiting.keys().cloned().collect();
        out.extend(places.into_iter().filter_map(|to| self.release(to)));
        out
    }

    /// Says who would be told of an alert, each with those behind him; nobody is named first twice.
    pub fn places(&self, alert: &Alert) -> Vec<Vec<String>> {
        let mut places: Vec<Vec<String>> = Vec::new();
        for route in self.plan.routes.iter().filter(|route| route.takes(alert)) {
            if places.iter().all(|to| to[0] != route.to[0]) {
                places.push(route.to.clone());
            }
        }
        places
    }

    fn route(&mut self, alert: &Alert, now: Ts) -> Vec<Delivery> {
        let mut out = Vec::new();
        for to in self.places(alert) {
            let first = !self.waiting.contains_key(&to);
            let urgent = alert.priority == Priority::Urgent;
            if (first || urgent) && self.may_go(&to[0], urgent, now) {
                out.push(Delivery { to, message: Message::of(alert.clone()) });
                continue;
            }
            let waiting = self.waiting.entry(to).or_default();
            if waiting.alerts.len() < WAITING {
                waiting.alerts.push(alert.clone());
            } else {
                waiting.left_out += 1;
            }
        }
        out
    }

    fn may_go(&mut self, channel: &str, urgent: bool, now: Ts) -> bool {
        let quiet = self.plan.quiet.as_ref().is_some_and(|quiet| quiet.holds(now));
        let Some(outlet) = self.pace.get_mut(channel) else { return true };
        if urgent { outlet.urgent.take(now) } else { !(quiet && outlet.rings) && outlet.calm.take(now) }
    }

    fn release(&mut self, to: Vec<String>) -> Option<Delivery> {
        let Waiting { alerts, left_out } = self.waiting.remove(&to)?;
        Some(Delivery { to, message: Message { alerts, left_out, failed: Vec::new() } })
    }
}

#[cfg(test)]
mod tests;
