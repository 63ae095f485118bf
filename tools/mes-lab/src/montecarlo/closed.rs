//! The chance to pass by closed forms: a check on the simulation, never a forecast. They are of a Brownian motion that
//! lives for ever, so they stand above what days that run out, days that a limit ends and a best day leave of it, and
//! below it where the floor stops to rise.

use mes_core::rules::Rules;
use serde::Serialize;

use super::Past;
use mes_judge::{
    metrics::{finite, mean},
    stats::ruin::{fixed, trailing},
};

/// What the closed forms know nothing of.
pub const LEAVES_OUT: &str =
    "without an end of days, limits of a day, a best day, or a floor that stops to rise";

/// A closed form, and the share of accounts that pass by it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClosedForm {
    pub of: &'static str,
    pub share: f64,
}

/// Works out the chances to gain the firm's target before its maximum loss; none without a firm.
pub fn forms(past: &Past, rules: &Rules) -> Vec<ClosedForm> {
    let Some(prop) = &rules.prop else { return Vec::new() };
    let nets: Vec<f64> = past
        .sessions
        .iter()
        .map(|session| session.iter().copied().sum::<mes_core::money::Cents>().usd())
        .collect();
    let drift = mean(&nets).unwrap_or_default();
    let variance = mean(&nets.iter().map(|net| (net - drift) * (net - drift)).collect::<Vec<_>>());
    let (target, loss, variance) = (prop.target_usd, prop.max_loss_usd, variance.unwrap_or_default());
    let forms = [
        ("no drift, floor behind the peak", trailing(target, loss, 0.0, 1.0)),
        ("the sessions' mean and variance", trailing(target, loss, drift, variance)),
        ("the same, floor that stays", fixed(target, loss, drift, variance)),
    ];
    let known = forms.into_iter().filter_map(|(of, share)| Some(ClosedForm { of, share: finite(share)? }));
    known.collect()
}

#[cfg(test)]
mod tests {
    use mes_core::{
        money::Cents,
        rules::{MES_1K, SHIPPED},
    };

    use super::*;

    fn past(nets: &[i64]) -> Past {
        let sessions = nets.iter().map(|net| vec![Cents(*net), Cents(0)]).collect();
        Past { sessions, ..Past::default() }
    }

    fn firm() -> Rules {
        let (_, text) = SHIPPED.iter().find(|(name, _)| *name == "topstep-50k").expect("shipped");
        Rules::parse(text).expect("rules")
    }

    #[test]
    fn of_a_firm_with_3000_to_gain_and_2000_to_lose() {
        let shares = |nets: &[i64]| -> Vec<f64> {
            forms(&past(nets), &firm()).iter().map(|form| (form.share * 1e4).round() / 1e4).collect()
        };
        assert_eq!(shares(&[100, -100]), [0.2231, 0.2231, 0.4]);
        // A mean of 10 and a variance of 40,000: γ = 0.0005, so e^{−γ·2000} = e^{−1} and e^{−γ·5000} = e^{−2.5}.
        let walk = |e: fn(f64) -> f64| (1.0 - e(-1.0)) / (1.0 - e(-2.5));
        let found = shares(&[21_000, -19_000]);
        assert_eq!(found[2], (walk(libm::exp) * 1e4).round() / 1e4);
        assert!(found[0] < found[1] && found[1] < found[2], "{found:?}");
        // Sessions that never differ have no variance to speak of.
        assert_eq!(shares(&[0, 0]), [0.2231]);
        assert_eq!(forms(&past(&[1, -1]), &Rules::parse(MES_1K).expect("rules")), []);
    }
}
