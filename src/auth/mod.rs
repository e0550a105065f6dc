//! Tokens and the cookies that carry them. Neither ever reaches a log or a span.

mod cookies;
mod keys;
mod token;

pub use cookies::{Cookies, SetCookies};
pub use keys::Keys;
pub use token::Purpose;
