//! Which items of an index a page has: a range of sort keys, an order, and where the page before ended.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::SortKey;
use super::limits::{KEY, SORT_KEY};
use crate::Error;

/// A range of an index, in ascending order, or reversed. Items with the same sort key are ordered by their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    index: &'static str,
    pub(super) from: Vec<u8>,
    pub(super) to: Vec<u8>,
    pub(super) is_reversed: bool,
}

impl Range {
    /// All items of an index.
    pub fn all(index: &'static str) -> Self {
        Self::within(index, &SortKey::default())
    }

    /// The items whose sort keys begin with these fields.
    pub fn within(index: &'static str, begin: &SortKey) -> Self {
        Self { index, from: begin.0.clone(), to: begin.after_all(), is_reversed: false }
    }

    /// Only from this sort key on, inclusive.
    #[must_use]
    pub fn starting_at(mut self, first: &SortKey) -> Self {
        self.from = self.from.max(first.0.clone());
        self
    }

    /// Only up to this sort key, exclusive.
    #[must_use]
    pub fn ending_before(mut self, end: &SortKey) -> Self {
        self.to = self.to.min(end.0.clone());
        self
    }

    /// In descending order.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self { is_reversed: !self.is_reversed, ..self }
    }

    /// The name of the index.
    pub(crate) fn index(&self) -> &'static str {
        self.index
    }

    /// The place before the first item, in its order.
    pub(super) fn begin(&self) -> Cursor {
        // No item has an empty key.
        let sort = if self.is_reversed { &self.to } else { &self.from };
        Cursor { sort: sort.clone(), key: String::new() }
    }

    /// The place after the last item, in its order.
    pub(super) fn end(&self) -> Cursor {
        let sort = if self.is_reversed { &self.from } else { &self.to };
        Cursor { sort: sort.clone(), key: String::new() }
    }
}

/// The place of an item in an index: where a page ended, so that the next one goes on after it. Items that come and go
/// meanwhile move no other item to another page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    pub(super) sort: Vec<u8>,
    pub(super) key: String,
}

impl Cursor {
    /// The place of an item with this sort key and this key.
    pub fn at(sort: &SortKey, key: &str) -> Self {
        Self { sort: sort.0.clone(), key: key.to_owned() }
    }

    /// The key of the item.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// As text, opaque to clients: letters, digits, `-` and `_`.
    pub fn to_text(&self) -> String {
        let length = u16::try_from(self.sort.len()).unwrap_or(u16::MAX);
        let bytes = [&length.to_be_bytes(), self.sort.as_slice(), self.key.as_bytes()].concat();
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads it again. One that was made up leads to another place of the same range.
    ///
    /// # Errors
    /// `VALIDATION_ERROR`, if it is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).ok_or_else(|| Error::validation("query parameter cursor: is not valid"))
    }

    fn read(text: &str) -> Option<Self> {
        if text.len() > 4 * (KEY + SORT_KEY) {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (length, rest) = bytes.split_first_chunk()?;
        let (sort, key) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let key = std::str::from_utf8(key).ok().filter(|key| !key.contains('\0'))?;
        Some(Self { sort: sort.to_vec(), key: key.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let cursor = Cursor::at(&SortKey::default().text("day").falling(71.5), "google-77");
        assert_eq!(Cursor::parse(&cursor.to_text()).expect("a cursor"), cursor);
        for made_up in ["", "A", "____", "AAD_", "AAAA", &"A".repeat(9_000), "é"] {
            assert!(Cursor::parse(made_up).is_err(), "{made_up}");
        }
    }

    #[test]
    fn a_range_only_ever_gets_narrower() {
        let day = SortKey::default().text("day");
        let range = Range::within("best", &day);
        let all = range.clone().starting_at(&SortKey::default()).ending_before(&day.clone());
        assert_eq!((&all.from, &all.to), (&range.from, &day.0));
        let half = range.clone().starting_at(&day.clone().rising(7.0));
        assert_eq!((half.from, half.to), (day.rising(7.0).0, range.to));
    }
}
