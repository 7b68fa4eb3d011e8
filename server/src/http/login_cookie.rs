//! The cookie of a login.

use axum_extra::extract::cookie::{self, SameSite};

/// Its name and protection. On plain http (a trial on this host) it has neither prefix nor
/// `Secure`: browsers would not send it back.
#[derive(Clone, Copy)]
pub struct LoginCookie {
    secure: bool,
}

impl LoginCookie {
    /// For a server that people reach over TLS, or not.
    pub const fn new(https: bool) -> Self {
        Self { secure: https }
    }

    /// Is it sent over TLS only?
    pub const fn secure(self) -> bool {
        self.secure
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        if self.secure {
            "__Host-cloud-delivery-login"
        } else {
            "cloud-delivery-login"
        }
    }

    /// The cookie that carries a token.
    pub fn with(self, token: String) -> cookie::Cookie<'static> {
        cookie::Cookie::build((self.name(), token))
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
            .build()
    }

    /// The cookie that removes it.
    pub fn removed(self) -> cookie::Cookie<'static> {
        cookie::Cookie::build(self.name()).path("/").secure(self.secure).build()
    }
}
