//! Query strings, encoded and decoded alike on the server and in the browser. The router's own
//! functions are unsuitable: they escape differently on the two sides, so hydrated links would
//! differ from the server's, and they decode twice, which loses a `%` in a search.

use std::fmt::Write;

/// `?a=b&c=d`, percent-encoded; empty without pairs.
pub fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(&encode(name));
        text.push('=');
        text.push_str(&encode(value));
    }
    text
}

/// The decoded pairs of a query string, with or without a leading `?`.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .trim_start_matches('?')
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// The decoded value of one parameter.
pub fn parameter(query: &str, name: &str) -> Option<String> {
    pairs(query)
        .into_iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = || u8::from_str_radix(text.get(at + 1..at + 3)?, 16).ok();
        match byte {
            b'+' => out.push(b' '),
            b'%' => match hex() {
                Some(decoded) => {
                    out.push(decoded);
                    at += 2;
                }
                None => out.push(b'%'),
            },
            other => out.push(other),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_again() {
        for text in ["", "a b", "100%41", "é+ñ&=?#\"", "%", "%zz", "🦀"] {
            let query = query([("q", text), ("page", "2")]);
            assert_eq!(parameter(&query, "q").as_deref(), Some(text), "{query}");
            assert_eq!(parameter(&query, "page").as_deref(), Some("2"));
        }
    }

    #[test]
    fn forms_write_a_space_as_plus() {
        assert_eq!(
            pairs("?q=jane+doe&x"),
            [("q".into(), "jane doe".into()), ("x".into(), String::new())]
        );
        assert_eq!(query([]), "");
    }
}
