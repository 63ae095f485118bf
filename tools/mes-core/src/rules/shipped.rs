//! The rules files that are built in.

/// The owner's rules for $1,000.
pub const MES_1K: &str = include_str!("../../../../pipelines/rules/mes-1k.toml");

/// Names and texts.
pub const SHIPPED: [(&str, &str); 6] = [
    ("mes-1k", MES_1K),
    ("mes-1k-topstep", include_str!("../../../../pipelines/rules/mes-1k-topstep.toml")),
    ("mnq-1k", include_str!("../../../../pipelines/rules/mnq-1k.toml")),
    ("topstep-50k", include_str!("../../../../pipelines/rules/topstep-50k.toml")),
    ("topstep-100k", include_str!("../../../../pipelines/rules/topstep-100k.toml")),
    ("topstep-150k", include_str!("../../../../pipelines/rules/topstep-150k.toml")),
];
