//! What boosted trees and forests share: features as small numbers, histograms over them, growth, and the ensemble
//! that becomes a `TreeEnsembleClassifier`.

pub mod bins;
pub mod ensemble;
pub mod grow;
pub mod histogram;
