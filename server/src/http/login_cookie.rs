//! The cookie of a login.

use axum_extra::extract::cookie::{self, SameSite};

/// Name and attributes of the cookie. On plain http (a trial on this host) it has neither the
/// prefix `__Host-` nor `Secure`, because browsers would not send it back.
#[derive(Clone, Copy)]
pub struct LoginCookie {
    secure: bool,
}

impl LoginCookie {
    /// `https`: browsers reach the server over TLS.
    pub const fn new(https: bool) -> Self {
        Self { secure: https }
    }

    /// Do browsers send the cookie over TLS only?
    pub const fn secure(self) -> bool {
        self.secure
    }

    /// Name of the cookie.
    pub const fn name(self) -> &'static str {
        if self.secure {
            "__Host-cloud-delivery-login"
        } else {
            "cloud-delivery-login"
        }
    }

    /// The cookie with a token.
    pub fn with(self, token: String) -> cookie::Cookie<'static> {
        cookie::Cookie::build((self.name(), token))
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
            .build()
    }

    /// A cookie that removes the one in the browser.
    pub fn removed(self) -> cookie::Cookie<'static> {
        cookie::Cookie::build(self.name()).path("/").secure(self.secure).build()
    }
}
