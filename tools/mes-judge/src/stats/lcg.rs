//! The numbers that the published check values were computed on: a generator that any language can write.

/// x ← (1664525·x + 1013904223) mod 2³², u = (x + 0.5)/2³².
pub struct Lcg(pub u32);

impl Iterator for Lcg {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some((f64::from(self.0) + 0.5) / 4_294_967_296.0)
    }
}

#[test]
fn begins_as_published() {
    let first: Vec<f64> = Lcg(12345).take(5).collect();
    let want = [
        0.020_402_685_855_515_3,
        0.016_547_848_354_093_73,
        0.543_155_794_613_994_7,
        0.634_904_056_205_414_2,
        0.910_029_513_877_816_5,
    ];
    assert_eq!(first, want);
}
