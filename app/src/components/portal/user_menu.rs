//! The user menu, top right.

use leptos::prelude::*;
use session::{Role, api::Me};

use crate::ui::{
    icon::{Glyph, Icon},
    menu::{Menu, close},
};

const ID: &str = "user-menu";

/// A button with the username. Its menu has "Admin" for administrators, and "Change password",
/// "Sign out" and "End all logins" for everybody. Works without JavaScript.
#[component]
pub fn UserMenu(
    /// The signed-in person.
    me: Me,
) -> impl IntoView {
    let admin = me.role >= Role::AppAdmin;
    let button = view! {
        <Icon glyph=Glyph::Person />
        <bdi class="user-name">{me.username.to_string()}</bdi>
        <Icon glyph=Glyph::Down />
    };
    view! {
        <div class="user-menu">
            <Menu id=ID role="menu" name="User menu" button_class="button button-bar" button=button.into_any()>
                {admin
                    .then(|| view! {
                        <a class="menu-item" role="menuitem" href="/admin" on:click=|_| close(ID)>
                            "Admin"
                        </a>
                    })}
                <a class="menu-item" role="menuitem" href="/account/password" rel="external">
                    "Change password"
                </a>
                <form method="post" action="/logout" role="none">
                    <button type="submit" class="menu-item" role="menuitem">
                        "Sign out"
                    </button>
                </form>
                <form method="post" action="/logout" role="none">
                    <input type="hidden" name="everywhere" value="true" />
                    <button type="submit" class="menu-item" role="menuitem" title="Signs you out of every browser">
                        "End all logins"
                    </button>
                </form>
            </Menu>
        </div>
    }
    .into_any()
}
