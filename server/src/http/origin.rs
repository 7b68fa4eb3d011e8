//! Origins of pages that may open a stream. Browsers send cookies with a WebSocket from any site,
//! so its Origin must match exactly.

use axum::http::{HeaderMap, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::settings::Settings;

/// Encodes a value for a query.
pub fn encode(value: &str) -> String {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(value, RESERVED).to_string()
}

/// The origins of this server's own pages.
#[derive(Clone)]
pub struct Origins {
    public: Option<String>,
    port: u16,
}

impl Origins {
    /// Uses the public URL, or the loopback names with the server's port if there is none.
    pub fn new(settings: &Settings) -> Self {
        Self {
            public: settings.public_url.clone(),
            port: settings.addr.port(),
        }
    }

    /// Does this request come from one of the server's own pages? One without an Origin does not.
    pub fn is_own(&self, headers: &HeaderMap) -> bool {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let Some(origin) = text(header::ORIGIN) else {
            return false;
        };
        match &self.public {
            Some(public) => origin == public,
            None => {
                // The page may have any loopback name, but then its Origin equals the Host.
                let own = text(header::HOST).is_some_and(|host| origin == format!("http://{host}"));
                own && origin.strip_prefix("http://").is_some_and(|host| self.loopback(host))
            }
        }
    }

    fn loopback(&self, host: &str) -> bool {
        let names = ["127.0.0.1", "localhost", "[::1]"];
        names.iter().any(|name| host == format!("{name}:{}", self.port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_own(public: Option<&str>, host: &str, origin: Option<&str>) -> bool {
        let settings = Settings {
            public_url: public.map(Into::into),
            ..Settings::default()
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        Origins::new(&settings).is_own(&headers)
    }

    #[test]
    fn only_our_own_pages_may_open_a_stream() {
        let public = Some("https://apps.example.edu");
        for (public, host, origin, expected) in [
            (public, "apps.example.edu", Some("https://apps.example.edu"), true),
            (
                public,
                "apps.example.edu",
                Some("https://apps.example.edu.evil.example"),
                false,
            ),
            (public, "apps.example.edu", Some("http://apps.example.edu"), false),
            (public, "apps.example.edu", None, false),
            (None, "127.0.0.1:3000", Some("http://127.0.0.1:3000"), true),
            (None, "localhost:3000", Some("http://localhost:3000"), true),
            (None, "127.0.0.1:3000", Some("http://localhost:3000"), false),
            (None, "127.0.0.1:3000", Some("http://evil.example"), false),
            (None, "evil.example", Some("http://evil.example"), false),
            (None, "127.0.0.1:3000", Some("null"), false),
        ] {
            assert_eq!(is_own(public, host, origin), expected, "{host} {origin:?}");
        }
    }
}
