//! A hash for small tables whose keys clients cannot choose: on the way of a keystroke, that of the standard library,
//! which withstands chosen keys, costs more than the rest of a look-up.

use std::hash::{BuildHasherDefault, Hasher};

/// Builds the hash of a `HashMap`.
pub(crate) type Quick = BuildHasherDefault<QuickHasher>;

/// FNV-1a, by bytes for texts, and by words for numbers.
#[derive(Debug)]
pub(crate) struct QuickHasher(u64);

/// The parameters of FNV-1a with 64 bits.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

impl Default for QuickHasher {
    fn default() -> Self {
        Self(BASIS)
    }
}

impl QuickHasher {
    fn mix(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(PRIME);
    }
}

impl Hasher for QuickHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.mix((*byte).into()));
    }
    fn write_u64(&mut self, number: u64) {
        self.mix(number);
    }
    fn write_i64(&mut self, number: i64) {
        self.mix(number.cast_unsigned());
    }
    fn finish(&self) -> u64 {
        // The tables use the highest bits, which small numbers hardly change.
        self.0 ^ self.0.rotate_left(32)
    }
}
