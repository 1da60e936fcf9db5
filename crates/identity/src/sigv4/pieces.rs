//! Texts cut at one ASCII byte. The standard library does the same with `split` and `split_once`,
//! at many times the cost for texts as short as the parts of a signature.

use memchr::memchr;

/// The pieces between the separators: one more than there are separators, as with [`str::split`].
pub(super) fn pieces(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (piece, later) = match cut(text, separator) {
            Some((piece, later)) => (piece, Some(later)),
            None => (text, None),
        };
        rest = later;
        Some(piece)
    })
}

/// What is before the first separator and what is behind it, as with [`str::split_once`].
pub(super) fn cut(text: &str, separator: u8) -> Option<(&str, &str)> {
    debug_assert!(separator.is_ascii(), "it is a whole character");
    let at = memchr(separator, text.as_bytes())?;
    Some((&text[..at], &text[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_is_cut_as_the_standard_library_cuts_it(text in "[aé;]{0,12}") {
            let standard: Vec<&str> = text.split(';').collect();
            prop_assert_eq!(pieces(&text, b';').collect::<Vec<_>>(), standard);
            prop_assert_eq!(cut(&text, b';'), text.split_once(';'));
        }
    }
}
