//! Sort keys: tuples of texts and numbers, as bytes whose order is that of the tuples, in every database alike.

use crate::game::Timestamp;

/// The end of a text. Zeros within are followed by [`NO_END`], which is greater than the begin of any field.
const END: u8 = 0x00;
const NO_END: u8 = 0xff;
/// The begin of a field, by its type.
const TEXT: u8 = 1;
const INTEGER: u8 = 2;
const NUMBER: u8 = 3;
/// Greater than the begin of any field.
const LAST: u8 = 0xff;

/// By what an index orders its items: a tuple of fields, compared one after the other. Texts are compared by their bytes.
/// Fields of one position should have one type; otherwise texts come before integers, and these before numbers.
///
/// ```
/// use typephoon_api::records::SortKey;
///
/// let key = |kind: &str, wpm: f64| SortKey::default().text(kind).falling(wpm);
/// assert!(key("code", 40.0) < key("words", 90.0));
/// assert!(key("words", 90.0) < key("words", 89.5));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey(pub(super) Vec<u8>);

impl SortKey {
    /// Adds a text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.0.push(TEXT);
        for byte in text.bytes() {
            self.0.push(byte);
            if byte == END {
                self.0.push(NO_END);
            }
        }
        self.0.push(END);
        self
    }

    /// Adds an integer, ascending.
    #[must_use]
    pub fn integer(mut self, value: i64) -> Self {
        self.0.push(INTEGER);
        // Negative numbers first: the sign bit is inverted.
        self.0.extend((value ^ i64::MIN).to_be_bytes());
        self
    }

    /// Adds a time, ascending.
    #[must_use]
    pub fn at(self, time: Timestamp) -> Self {
        self.integer(time.0)
    }

    /// Adds a number, ascending. What is not a number counts as 0.
    #[must_use]
    pub fn rising(self, value: f64) -> Self {
        self.number(value, false)
    }

    /// Adds a number, descending. What is not a number counts as 0.
    #[must_use]
    pub fn falling(self, value: f64) -> Self {
        self.number(value, true)
    }

    fn number(mut self, value: f64, is_falling: bool) -> Self {
        // Adding 0 turns -0 into 0.
        let bits = if value.is_nan() { 0 } else { (value + 0.0).to_bits() };
        // IEEE 754: the order of the bits is that of the magnitudes.
        let rising = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
        self.0.push(NUMBER);
        self.0.extend((if is_falling { !rising } else { rising }).to_be_bytes());
        self
    }

    /// The first bytes after all keys that begin with the fields of this one.
    pub(super) fn after_all(&self) -> Vec<u8> {
        let mut after = self.0.clone();
        after.push(LAST);
        after
    }

    /// Whether it has no fields: an item with an empty key is not in the index.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::*;

    /// The order of bytes, and that of the tuples.
    fn agree(left: &SortKey, right: &SortKey, order: Ordering) {
        assert_eq!(left.0.cmp(&right.0), order, "{left:?} {right:?}");
    }

    fn texts() -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(vec!['\0', '\u{1}', 'a', 'b', 'ÿ']), 0..4)
            .prop_map(|letters| letters.into_iter().collect())
    }

    proptest! {
        #[test]
        fn keys_are_ordered_as_their_fields(
            (a, b) in (texts(), texts()),
            (c, d) in (-1e3..1e3_f64, -1e3..1e3_f64),
            (e, f) in (-3..3_i64, -3..3_i64),
        ) {
            let key = |text: &str, number, integer| {
                SortKey::default().text(text).rising(number).integer(integer)
            };
            let order = a.cmp(&b).then(c.total_cmp(&d)).then(e.cmp(&f));
            agree(&key(&a, c, e), &key(&b, d, f), order);
            let falling = |text: &str, number| SortKey::default().text(text).falling(number);
            agree(&falling(&a, c), &falling(&b, d), a.cmp(&b).then(d.total_cmp(&c)));
        }

        #[test]
        fn a_prefix_comes_before_its_keys_and_its_end_after_them(
            (prefix, rest) in (texts(), texts()), number in any::<f64>(), integer in any::<i64>(),
        ) {
            let prefix = SortKey::default().text(&prefix);
            for key in [
                prefix.clone().text(&rest),
                prefix.clone().falling(number),
                prefix.clone().integer(integer),
            ] {
                prop_assert!(prefix.0 < key.0 && key.0 < prefix.after_all());
            }
        }
    }

    #[test]
    fn zero_is_zero_and_no_number_counts_as_zero() {
        let key = |value| SortKey::default().rising(value);
        assert_eq!(key(0.0), key(-0.0));
        assert_eq!(key(0.0), SortKey::default().rising(0.0));
        assert!(key(f64::NEG_INFINITY) < key(-1.0) && key(1.0) < key(f64::INFINITY));
        assert!(key(f64::NAN) < key(f64::MIN_POSITIVE));
    }
}
