//! The date of an answer (RFC 9110, section 5.6.7).

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

/// The text of one second.
struct Present {
    second: u64,
    text: String,
}

thread_local! {
    static PRESENT: RefCell<Present> =
        const { RefCell::new(Present { second: 0, text: String::new() }) };
}

/// Calls `write` with the present date; its text is made once a second and thread.
pub(super) fn with<R>(write: impl FnOnce(&str) -> R) -> R {
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    PRESENT.with_borrow_mut(|present| {
        if present.second != second || present.text.is_empty() {
            *present = Present { second, text: httpdate::fmt_http_date(now) };
        }
        write(&present.text)
    })
}

#[cfg(test)]
mod tests {
    use super::with;

    #[test]
    fn the_date_has_the_form_of_the_standard() {
        with(|date| {
            assert_eq!(date.len(), "Sun, 06 Nov 1994 08:49:37 GMT".len());
            assert!(date.ends_with(" GMT"));
        });
    }
}
