//! The token of the next page of a list: where the page before ended.
//!
//! Nothing is kept on the server for it, so it holds across restarts and for as long as anybody
//! likes. It grants nothing: every page is authorised anew.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Names the form of what follows.
const VERSION: u8 = 1;

/// The token of a page that follows the one whose last entry has this name.
pub(crate) fn encode(last: &str) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&checksum(last).to_be_bytes());
    bytes.extend_from_slice(last.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The name in a token; none if it is no token, or not whole.
pub(crate) fn decode(token: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let ([VERSION], rest) = bytes.split_first_chunk()? else { return None };
    let (sum, last) = rest.split_first_chunk()?;
    let last = std::str::from_utf8(last).ok()?;
    (u32::from_be_bytes(*sum) == checksum(last)).then(|| last.to_owned())
}

/// FNV-1a of 32 bits: a token that was cut or mistyped is noticed.
fn checksum(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_gives_its_name_back() {
        for name in ["a", "a/b c/ü€", "", &"x".repeat(65_535)] {
            assert_eq!(decode(&encode(name)).as_deref(), Some(name));
        }
    }

    #[test]
    fn what_is_not_a_whole_token_is_none() {
        let token = encode("sensors/1");
        for end in 0..token.len() {
            assert_eq!(decode(&token[..end]), None, "{end}");
        }
        assert_eq!(decode(&format!("{token}AAAA")), None);
        for other in ["no token of ours", "AAAA", "AQ", "====", "ü"] {
            assert_eq!(decode(other), None, "{other}");
        }
        let mut changed = URL_SAFE_NO_PAD.decode(&token).expect("base64");
        *changed.last_mut().expect("not empty") ^= 1;
        assert_eq!(decode(&URL_SAFE_NO_PAD.encode(changed)), None);
    }
}
