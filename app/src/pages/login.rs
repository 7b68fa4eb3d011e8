//! The way in. A plain form: it works without JavaScript, and the password never passes through WebAssembly.

use crate::ui::dynamic::dyn_view;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

use crate::ui::{
    address::parameter,
    banner::{Banner, Tone},
};

/// Username and password. A wrong user and a wrong password look the same.
#[component]
pub fn Login() -> impl IntoView {
    let search = use_location().search;
    let value = move |name: &str| parameter(&search.read(), name);
    let problem = move || {
        if let Some(seconds) = value("throttled") {
            let seconds = seconds.parse::<u32>().unwrap_or(60);
            return Some(format!("Too many attempts. Try again in {seconds} s."));
        }
        if value("blocked").is_some() {
            return Some("This account is blocked. A System Admin can let you in again.".to_owned());
        }
        value("failed").map(|_| "The username or the password is wrong.".to_owned())
    };
    let next = parameter(&search.read_untracked(), "next").unwrap_or_else(|| "/".to_owned());
    view! {
        <Title text="Sign in" />
        <main class="login" id="content" tabindex="-1">
            <div class="login-card">
                <p class="brand">
                    <span class="brand-mark" aria-hidden="true"></span>
                    "Cloud Delivery"
                </p>
                <h1>"Sign in"</h1>
                {dyn_view(move || problem().map(|text| view! { <Banner tone=Tone::Danger>{text}</Banner> }).into_any())}
                <form method="post" action="/login">
                    <input type="hidden" name="next" value=next />
                    <div class="field">
                        <label for="username">"Username"</label>
                        <input
                            id="username"
                            name="username"
                            type="text"
                            autocomplete="username"
                            autocapitalize="none"
                            spellcheck="false"
                            required
                            autofocus
                        />
                    </div>
                    <div class="field">
                        <label for="password">"Password"</label>
                        <input id="password" name="password" type="password" autocomplete="current-password" required />
                    </div>
                    <button type="submit" class="button button-primary button-wide">
                        "Sign in"
                    </button>
                </form>
            </div>
        </main>
    }
}
