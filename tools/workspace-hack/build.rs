//! Empty: a build script makes cargo see the build-dependencies.

fn main() {}
