//! Has functions and tables of functions that came out the same kept once: a tenth of a program that holds all tools.
//!
//! Only lld can, which rustc of rustup brings for this system; other linkers do without.
#![allow(clippy::disallowed_macros, reason = "cargo reads what a build script prints")]

use std::{env, path::Path, process::Command};

const SYSTEM: &str = "x86_64-unknown-linux-gnu";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = env::var("TARGET").is_ok_and(|target| target == SYSTEM);
    let own = env::var_os("CARGO_ENCODED_RUSTFLAGS").is_some_and(|flags| {
        let flags = flags.to_string_lossy();
        flags.contains("linker") || flags.contains("fuse-ld")
    });
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let asked = Command::new(rustc).args(["--print", "sysroot"]).output();
    let sysroot = asked.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let lld = sysroot.is_ok_and(|root| {
        Path::new(&root).join("lib/rustlib").join(SYSTEM).join("bin/gcc-ld/ld.lld").exists()
    });
    if is && lld && !own {
        println!("cargo:rustc-link-arg-bins=-Wl,--icf=all,--ignore-data-address-equality,-O2");
    }
}
