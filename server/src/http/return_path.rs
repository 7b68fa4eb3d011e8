//! The target of the redirect after signing in, and of “Try again”: always a path of this server,
//! even if the link to the page was forged.

use url::Url;

/// Resolves a URL like a browser, and keeps its path, query and fragment. Another origin, a control
/// character or an invalid URL give the home page.
pub fn return_path(next: &str) -> String {
    resolve(next).unwrap_or_else(|| "/".to_owned())
}

fn resolve(next: &str) -> Option<String> {
    // Browsers drop tabs and line breaks in a URL, so “/<tab>/evil.example” is another site.
    if !next.starts_with('/') || next.contains(|letter: char| letter.is_control() || letter == '\\') {
        return None;
    }
    // RFC 2606 reserves this name, so no server has it.
    let own = Url::parse("http://own.invalid").ok()?;
    let url = own
        .join(next)
        .ok()
        .filter(|url| url.origin() == own.origin() && url.username().is_empty())?;
    let path = url[url::Position::BeforePath..].to_owned();
    // “/..//evil.example” has the path “//evil.example”, which a browser resolves to another site.
    (!path.starts_with("//")).then_some(path)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_path_of_this_server_stays_as_it_is() {
        for own in [
            "/",
            "/admin/cloud-delivery/sessions?q=a%20b&sort=-started_at",
            "/sessions/0199f3a0-5d1e-7c3b-9a51-2f6f5d0e8c11#end",
            "/?next=https://evil.example/",
        ] {
            assert_eq!(return_path(own), own);
        }
        assert_eq!(return_path("/a/../b?é"), "/b?%C3%A9");
    }

    #[test]
    fn every_other_address_leads_home() {
        for other in [
            "",
            "admin",
            "https://evil.example/",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\n/evil.example",
            "\t//evil.example",
            " //evil.example",
            "/\u{1}x",
            "/\u{7f}",
            "/\u{85}",
            "/..//evil.example",
            "/./\t/evil.example",
            "/.//evil.example",
            "/%2e//evil.example",
            "javascript:alert(1)",
            "//own.invalid:99999/",
            "//user@own.invalid//evil.example",
        ] {
            assert_eq!(return_path(other), "/", "{other:?}");
        }
    }

    #[test]
    fn whatever_it_is_the_answer_is_a_location_of_this_server() {
        let browser = Url::parse("https://apps.example.edu/login").unwrap();
        let letters = [
            '/', '\\', '.', '\t', '\n', '\u{1}', ':', '@', '?', '#', '%', '2', 'e', 'é', ' ', 'a',
        ];
        for number in 0..letters.len().pow(4) {
            let digit = |place: u32| letters[number / letters.len().pow(place) % letters.len()];
            let next: String = std::iter::once('/')
                .chain((0..4).map(digit))
                .chain("evil.example".chars())
                .collect();
            let path = return_path(&next);
            assert!(HeaderValue::from_str(&path).is_ok(), "{next:?} → {path:?}");
            assert_eq!(
                browser.join(&path).unwrap().origin(),
                browser.origin(),
                "{next:?} → {path:?}"
            );
        }
    }
}
