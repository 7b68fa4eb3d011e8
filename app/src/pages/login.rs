//! The sign-in page. A plain form: it works without JavaScript, and the password never passes
//! through WebAssembly.

use crate::ui::dynamic::{dyn_text, dyn_view};
use gloo_timers::callback::Interval;
use leptos::{html, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_location;
use session::format;
use web_sys::Storage;

use crate::ui::{
    address::parameter,
    banner::{Banner, Tone},
    focus,
};

/// Key of the last attempted username in the session storage of this tab.
const NAME_KEY: &str = "username";

/// The username and password form. It shows the same error for an unknown user and for a wrong
/// password.
#[component]
pub fn Login() -> impl IntoView {
    let search = use_location().search;
    let value = move |name: &str| parameter(&search.read(), name);
    let wait = value("throttled").map(|seconds| seconds.parse::<u32>().unwrap_or(60));
    let problem = move || {
        if let Some(seconds) = wait {
            return Some(format!("Too many attempts. Try again in {}.", format::seconds(seconds)));
        }
        if value("blocked").is_some() {
            return Some("This account is blocked. Ask a System Admin to unblock it.".to_owned());
        }
        value("failed").map(|_| "Incorrect username or password.".to_owned())
    };
    let left = RwSignal::new(None::<u32>);
    Effect::new(move |_: Option<Option<Interval>>| {
        left.set(wait);
        wait.map(|_| {
            Interval::new(1000, move || {
                left.update(|left| *left = left.map(|seconds| seconds.saturating_sub(1)))
            })
        })
    });
    // The form is empty after a failed attempt. The username comes from this tab's storage, because
    // the address must not contain it.
    let username = NodeRef::<html::Input>::new();
    Effect::new(move || {
        let storage = session_storage();
        let (Some(input), Some(known)) = (
            username.get(),
            storage.and_then(|storage| storage.get_item(NAME_KEY).ok()?),
        ) else {
            return;
        };
        if problem().is_some() && input.value().is_empty() {
            input.set_value(&known);
            focus::focus_id("password");
        }
    });
    let remember = move |_| {
        if let (Some(storage), Some(input)) = (session_storage(), username.get_untracked()) {
            let _ = storage.set_item(NAME_KEY, &input.value());
        }
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
                <p class="quiet tabular" aria-hidden="true">
                    {dyn_text(move || match left.get() {
                        Some(0) => "You can try again now.".to_owned(),
                        Some(seconds) => format!("You can try again in {seconds} s."),
                        None => String::new(),
                    })}
                </p>
                <form method="post" action="/login" on:submit=remember>
                    <input type="hidden" name="next" value=next />
                    <div class="field">
                        <label for="username">"Username"</label>
                        <input
                            id="username"
                            node_ref=username
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

/// `None` if the browser offers no storage, as in some private windows.
fn session_storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}
