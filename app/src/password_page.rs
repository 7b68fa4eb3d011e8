//! The page to change one's own password: a plain form like the sign-in page, without the browser
//! bundle.

use leptos::prelude::*;
use session::api::Me;

use crate::plain_page::document;

/// Renders the page; `wrong` is the reason why the last attempt failed.
pub fn page(me: &Me, wrong: Option<&str>) -> String {
    let why = me
        .must_change_password
        .then(|| view! { <p>"Your password was drawn for you. Choose your own before you go on."</p> });
    let back = (!me.must_change_password).then(|| view! { <p><a href="/">"My apps"</a></p> });
    let wrong = wrong.map(|wrong| view! { <p class="reason" role="alert">{wrong.to_owned()}</p> });
    let username = me.username.to_string();
    let body = view! {
        <main class="page">
            <h1>"Change your password"</h1>
            {why}
            {wrong}
            <form method="post" action="/account/password" class="fields">
                <input type="hidden" name="username" autocomplete="username" value=username />
                <label for="current">"Current password"</label>
                <input id="current" name="current" type="password" autocomplete="current-password" required autofocus />
                <label for="new">"New password"</label>
                <input id="new" name="new" type="password" autocomplete="new-password" minlength="8" required />
                <label for="again">"New password, again"</label>
                <input id="again" name="again" type="password" autocomplete="new-password" minlength="8" required />
                <button type="submit">"Change password"</button>
            </form>
            {back}
            <form method="post" action="/logout">
                <button type="submit" class="quiet">"Sign out"</button>
            </form>
        </main>
    };
    document("Change your password", body)
}

#[cfg(test)]
mod tests {
    use session::{Role, UserId};

    use super::*;

    #[test]
    fn it_says_why_and_what_is_wrong_and_repeats_no_password() {
        let me = Me {
            user_id: UserId::numbered(1),
            username: "jane <b>".into(),
            role: Role::User,
            must_change_password: true,
            origin: None,
            login: None,
        };
        let first = page(&me, None);
        assert!(
            first.contains("was drawn for you") && !first.contains("role=\"alert\""),
            "{first}"
        );
        assert!(!first.contains("<b>"), "{first}");
        let own = Me {
            must_change_password: false,
            ..me
        };
        let wrong = page(&own, Some("Incorrect current password."));
        assert!(wrong.contains("role=\"alert\"") && wrong.contains("My apps"), "{wrong}");
        assert!(!wrong.contains("was drawn for you"), "{wrong}");
    }
}
