//! Pages beside the portal, without the browser half and in the style of a session's tab: the tab itself draws its pages with this, and
//! what stands in place of a page that can't be shown is one.

use leptos::prelude::*;

/// What is so, why, and where to go on.
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

/// The head is text, for Leptos would put its markers into the title.
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
