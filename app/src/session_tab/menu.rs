//! The menu of a session's tab. It opens from a bar at the top edge that takes its own room, so
//! that it covers no part of the application.
//!
//! To add a section: a function here or in a module below, a line in [`panel`], and a module in
//! `public/tab`.

use leptos::prelude::*;
use session::{HomeKind, api::SessionView};

use super::NOT_KEPT;

/// The bar with the button of the menu.
pub(super) fn bar() -> impl IntoView {
    view! {
        <div class="bar">
            <button
                type="button"
                id="menu-button"
                class="menu-button"
                aria-label="Session menu"
                title="Session menu (Ctrl+Alt+Shift)"
                aria-expanded="false"
                aria-controls="menu"
            >
                "Menu"
            </button>
        </div>
    }
}

/// The panel with the sections. The end of the session is the last.
pub(super) fn panel(session: &SessionView) -> impl IntoView {
    let title = session.application.to_string();
    view! {
        <section id="menu" class="menu" aria-label="Session menu" hidden>
            <header>
                <strong>{title}</strong>
                <button type="button" id="resume">
                    "Back to the session"
                </button>
            </header>
            {section("Windows", windows())}
            {section("Clipboard", clipboard())}
            {section("Screen", screen())}
            {session.home.map(|home| section("Files", files(session, home)))}
            {section("Picture", picture())}
            {section("Sound", sound())}
            {section("Touch", touch())}
            {section("Time left", view! { <p id="limits">"Not connected."</p> })}
            {section("Help", help(session))}
            {end()}
        </section>
    }
}

/// One section with its heading.
fn section(heading: &'static str, content: impl IntoView) -> impl IntoView {
    view! {
        <section class="menu-section">
            <h2>{heading}</h2>
            {content}
        </section>
    }
}

fn windows() -> impl IntoView {
    view! {
        <ul id="windows" class="windows" aria-label="Windows"></ul>
        <p id="no-windows">"The application shows no window, or its windows can’t be listed."</p>
    }
}

/// The clipboard's text, for browsers that refuse to copy or to paste. The script shows the parts
/// that the policy of the application allows.
fn clipboard() -> impl IntoView {
    view! {
        <p id="clipboard-rule"></p>
        <textarea
            id="clipboard-text"
            rows="3"
            aria-label="Text of the clipboard"
            placeholder="The text that you copied in the application. Or paste a text here, and send it."
            autocomplete="off"
            spellcheck="false"
            hidden
        ></textarea>
        <p class="menu-actions">
            <button type="button" id="clipboard-send" class="plain" hidden>
                "Send to the application"
            </button>
            <button type="button" id="clipboard-read" class="plain" hidden>
                "Paste from this device"
            </button>
            <button type="button" id="clipboard-copy" class="plain" hidden>
                "Copy to this device"
            </button>
            <span id="clipboard-state" role="status"></span>
        </p>
    }
}

/// The fate of the files of the session, and uploads. The script shows the button if uploads are
/// permitted.
fn files(session: &SessionView, home: HomeKind) -> impl IntoView {
    match home {
        HomeKind::Kept => view! {
            <p>"Files that you save in your home folder are there in your next sessions."</p>
            <div id="files" data-environment=session.environment_id.to_string()>
                <p id="files-rule"></p>
                <p class="menu-actions">
                    <button type="button" id="upload-button" class="plain" hidden>
                        "Upload files…"
                    </button>
                    <input type="file" id="upload-input" multiple hidden />
                    <a class="quiet" href="/files" target="_blank">
                        "Open Files"
                    </a>
                </p>
                <ul id="uploads" class="uploads" aria-label="Uploads"></ul>
            </div>
        }
        .into_any(),
        HomeKind::Scratch => view! { <p>{NOT_KEPT}</p> }.into_any(),
    }
}

fn screen() -> impl IntoView {
    view! {
        <p class="menu-actions">
            <button type="button" id="full-screen" class="plain" hidden>
                "Full screen"
            </button>
        </p>
        <label>
            <input type="checkbox" id="keep-bar" />
            "Keep the bar at the top. Without it, a small handle lies over the application."
        </label>
    }
}

fn picture() -> impl IntoView {
    view! {
        <p>
            <label>
                "Quality"
                <select id="quality">
                    <option value="auto">"Automatic, by the connection"</option>
                    <option value="low">"Low, for slow connections"</option>
                    <option value="lossless">"Lossless"</option>
                </select>
            </label>
        </p>
        <label id="sharp-label" hidden>
            <input type="checkbox" id="sharp" />
            "Use every pixel of this screen. The application is sharper and smaller."
        </label>
        <p id="latency">"Not connected."</p>
    }
}

/// The script shows the controls if the session can have sound.
fn sound() -> impl IntoView {
    view! {
        <p id="sound-controls" class="menu-actions" hidden>
            <button type="button" id="sound" class="plain">
                "Turn sound on"
            </button>
            <label>
                "Volume"
                <input type="range" id="volume" min="0" max="100" step="5" value="100" />
            </label>
        </p>
        <p id="sound-state" role="status">
            "Not connected."
        </p>
    }
}

fn touch() -> impl IntoView {
    view! {
        <label>
            <input type="checkbox" id="keys-shown" />
            "Show a text field and keys at the bottom"
        </label>
        <p class="muted">
            "Hold a finger for the right button. Two fingers scroll. Pinch to look closer; two fingers then move the picture."
        </p>
    }
}

/// The bar at the bottom for users without a keyboard.
pub(super) fn keys() -> impl IntoView {
    let modifier = |name: &'static str, label: &'static str| {
        view! {
            <button type="button" class="plain" data-modifier=name aria-pressed="false">
                {label}
            </button>
        }
    };
    let key = |name: &'static str, label: &'static str, spoken: &'static str| {
        view! {
            <button type="button" class="plain" data-key=name aria-label=spoken>
                {label}
            </button>
        }
    };
    view! {
        <section id="keys" class="keys" aria-label="Keyboard" hidden>
            <input
                id="type"
                type="text"
                placeholder="Type here"
                aria-label="Text for the application"
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
            />
            {modifier("Control", "Ctrl")}
            {modifier("Alt", "Alt")}
            {key("Escape", "Esc", "Esc")}
            {key("Tab", "Tab", "Tab")}
            {key("ArrowLeft", "←", "Left")}
            {key("ArrowUp", "↑", "Up")}
            {key("ArrowDown", "↓", "Down")}
            {key("ArrowRight", "→", "Right")}
        </section>
    }
}

fn help(session: &SessionView) -> impl IntoView {
    view! {
        <p>"Ctrl, Alt and Shift pressed together open and close this menu."</p>
        <p>"If something doesn’t work, send this session ID to your support team:"</p>
        <p>
            <code id="help-id">{session.id.to_string()}</code>
        </p>
        <p class="menu-actions">
            <button type="button" id="copy-id" class="plain">
                "Copy session ID"
            </button>
            <span id="copied" role="status"></span>
        </p>
    }
}

fn end() -> impl IntoView {
    view! {
        <footer>
            <p id="end-problem" class="reason" role="alert" hidden>
                "Couldn’t reach the server. The session is still running. Try again."
            </p>
            <p class="menu-actions">
                <a class="quiet" href="/" target="_blank">
                    "My apps"
                </a>
                <button type="button" class="quiet danger" data-end="">
                    "End session…"
                </button>
            </p>
        </footer>
    }
}
