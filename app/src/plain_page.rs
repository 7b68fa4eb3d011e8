//! Plain pages outside the portal, without the browser bundle and in the style of a session's tab:
//! the pages of the tab itself, and error pages.

use leptos::prelude::*;
use session::{Timestamp, format, refusal::LaunchRefusal};

/// A page with a heading, a sentence and one link.
pub fn notice(title: &str, detail: &str, (address, label): (&str, &'static str)) -> String {
    let body = view! {
        <main class="page">
            <h1>{title.to_owned()}</h1>
            <p>{detail.to_owned()}</p>
            <p>
                <a class="primary" href=address.to_owned()>
                    {label}
                </a>
            </p>
        </main>
    };
    document(title, body)
}

/// Shown in place of a session's tab when the launch was refused.
pub fn refused(refusal: LaunchRefusal) -> String {
    let why = match refusal {
        LaunchRefusal::RelaunchBlocked(until) => view! {
            "An administrator ended your session. You can launch this application again after " {moment(until)} "."
        }
        .into_any(),
        other => other.sentence().into_owned().into_any(),
    };
    let body = view! {
        <main class="page">
            <h1>"Couldn’t launch"</h1>
            <p>{why}</p>
            <p>
                <a class="primary" href="/">
                    "My apps"
                </a>
            </p>
        </main>
        {local_times()}
    };
    document("Couldn’t launch", body)
}

/// A moment in UTC; [`local_times`] converts it to local time.
pub(crate) fn moment(at: Timestamp) -> impl IntoView {
    view! { <time datetime=format::iso(at)>{format::utc(at)}</time> }
}

/// The script that converts the page's moments to the reader's time zone.
pub(crate) fn local_times() -> impl IntoView {
    view! { <script type="module" src="/tab/times.js"></script> }
}

/// Renders a document. The head is plain text, because Leptos would insert its markers into the
/// title.
pub(crate) fn document(title: &str, body: impl IntoView + 'static) -> String {
    let title = title.replace('&', "&amp;").replace('<', "&lt;");
    let body = body.to_html();
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title>\
         <link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\">\
         <link rel=\"stylesheet\" href=\"/tab/tab.css\"></head><body>{body}</body></html>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_is_text_and_never_markup() {
        let page = notice("<script>", "a & b", ("/\"><script>", "Try again"));
        assert!(page.contains("<title>&lt;script></title>"), "{page}");
        assert!(page.contains("&lt;script&gt;") && page.contains("a &amp; b"), "{page}");
        assert!(!page.contains("<script>"), "{page}");
    }
}
