//! The query of a request.

use std::collections::HashMap;

use salvo::Request;

use super::lenient;
use crate::Error;

/// The query of a request. The last of duplicate parameters counts; unknown ones are ignored.
pub struct Query<'a>(&'a Request);

impl<'a> Query<'a> {
    /// The query of a request.
    pub fn of(request: &'a Request) -> Self {
        Self(request)
    }

    /// A parameter as text.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.0.queries().get_vec(name)?.last().map(String::as_str)
    }

    /// All parameters, as text.
    pub fn all(&self) -> HashMap<String, String> {
        let last =
            |(name, values): (&String, &Vec<String>)| Some((name.clone(), values.last()?.clone()));
        self.0.queries().iter_all().filter_map(last).collect()
    }

    /// A required parameter, as an integer.
    ///
    /// # Errors
    /// `VALIDATION_ERROR`, if it is missing or not an integer.
    pub fn integer(&self, name: &str) -> Result<i64, Error> {
        let text = self
            .text(name)
            .ok_or_else(|| Error::validation(format!("query parameter {name}: is required")))?;
        let not_one = || Error::validation(format!("query parameter {name}: must be an integer"));
        lenient::integer_of(text).ok_or_else(not_one)
    }
}
