//! The Audit page: a plain page, rendered on the server in the frame of the admin portal. Nothing
//! on it updates by itself, so links and a form suffice and the browser bundle contains none of it.

mod table;

use leptos::{config::LeptosOptions, prelude::*};
use leptos_meta::HashedStylesheet;
use session::{
    Role,
    api::{Me, Problem},
    audit::{LIMITS, Page, Place, View},
    format,
    words::MAX_CHARS,
};

use crate::{
    components::{
        addresses::AUDIT_PATH,
        failure::signed_in,
        portal::{
            frame::{bar, navigation},
            user_menu::UserMenu,
        },
    },
    pages::admin::PAGES,
    ui::{
        address,
        banner::{Banner, Tone},
        empty::EmptyState,
        icon::{Glyph, Icon},
        number::grouped,
    },
};
use table::Events;

/// Hint that lists the search keywords.
const HINT: &str = "Narrow a word with who: what: session: reason: address: request: user: app: env: and the time with \
    after:2026-11-01 before:2026-12-01 (UTC).";

/// Renders the document. `wrong` is an error in the search; there are no events then.
pub fn page(
    options: &LeptosOptions,
    me: &Me,
    view: &View,
    events: Result<Page, Problem>,
    wrong: Option<String>,
) -> String {
    // The owner disposes the components' state at the end.
    Owner::new().with(|| {
        let content = match events {
            Ok(page) => found(view, page, wrong).into_any(),
            Err(problem) if problem.status == 403 => forbidden(me).into_any(),
            Err(problem) => failed(view, &problem).into_any(),
        };
        document(options, me, content)
    })
}

fn found(view: &View, page: Page, wrong: Option<String>) -> impl IntoView + use<> {
    let count = wrong.is_none().then(|| count(view.place, &page));
    let stopped = stopped(view, &page);
    let pager = pager(view, &page);
    let nothing = (page.items.is_empty() && wrong.is_none()).then(|| nothing(view));
    let clear = (!view.q.is_empty() && (wrong.is_some() || !page.items.is_empty())).then(|| clear(view));
    let csv = View {
        q: view.q.clone(),
        ..View::default()
    };
    // An invalid search has no file to download.
    let download = wrong.is_none().then(|| {
        view! {
            <a class="button" href=link("/api/v1/events.csv", &csv) download="">
                <Icon glyph=Glyph::Download />
                "Export CSV"
            </a>
        }
    });
    view! {
        <div class="catalogue-page audit-page">
            <h1>"Audit"</h1>
            <div class="toolbar">{search(view, wrong.is_some())} {clear} <p class="count tabular" role="status">{count}</p> {download}</div>
            <p class="field-error" id="search-error" role="alert">{wrong}</p>
            <p class="field-hint" id="search-hint">{HINT}</p>
            {stopped}
            <Events items=page.items />
            {nothing}
            {pager}
        </div>
    }
}

fn search(view: &View, wrong: bool) -> impl IntoView + use<> {
    let described = if wrong {
        "search-error search-hint"
    } else {
        "search-hint"
    };
    let limit = (view.limit != View::default().limit)
        .then(|| view! { <input type="hidden" name="limit" value=view.limit.to_string() /> });
    view! {
        <form class="search" method="get" action=AUDIT_PATH role="search">
            <Icon glyph=Glyph::Search />
            <input
                class="search-input"
                type="search"
                name="q"
                aria-label="Search events"
                aria-describedby=described
                aria-invalid=wrong.then_some("true")
                placeholder="Search events"
                maxlength=MAX_CHARS.to_string()
                autocomplete="off"
                spellcheck="false"
                value=view.q.clone()
            />
            {limit}
            <button type="submit" class="button">
                "Search"
            </button>
        </form>
    }
}

fn clear(view: &View) -> impl IntoView + use<> {
    let all = View {
        limit: view.limit,
        ..View::default()
    };
    view! {
        <a class="button" href=link(AUDIT_PATH, &all)>
            "Clear search"
        </a>
    }
}

/// The number of matches, as far as they were counted; on later pages, the position of the page.
fn count(place: Place, page: &Page) -> String {
    /// Larger numbers are shown as "more than" this one.
    const MANY: u64 = 10_000;
    let number = |count: u64| grouped(count.try_into().unwrap_or(u32::MAX));
    let noun = if page.found == 1 { "event" } else { "events" };
    let found = number(page.found);
    match (place, page.stopped) {
        (Place::Newest, None) if page.counted => format!("{found} {noun}"),
        (Place::Newest, None) if page.found > MANY => format!("More than {} events", number(MANY)),
        (Place::Newest, None) => format!("At least {found} events"),
        (Place::Newest, Some(searched)) => format!("{found} {noun} among the newest {}", number(searched)),
        _ => match (page.items.last(), page.items.first()) {
            (Some(oldest), Some(newest)) => {
                let time = format::utc;
                let count = number(page.items.len() as u64);
                format!("{count} from {} to {}", time(oldest.at), time(newest.at))
            }
            _ => "No events here".to_owned(),
        },
    }
}

/// A note that the search stopped early, and a link to continue.
fn stopped(view: &View, page: &Page) -> Option<impl IntoView + use<>> {
    let searched = grouped(page.stopped?.try_into().unwrap_or(u32::MAX));
    let (text, on) = match view.place {
        Place::Newest => (
            format!("Searched the newest {searched} events."),
            page.older.map(Place::Before),
        ),
        Place::Before(_) => (
            format!("Searched {searched} older events."),
            page.older.map(Place::Before),
        ),
        Place::After(_) => (
            format!("Searched {searched} newer events."),
            page.newer.map(Place::After),
        ),
    };
    let on = on.map(|place| {
        let name = if let Place::After(_) = place {
            "Search newer events"
        } else {
            "Search older events"
        };
        view! { <a href=link(AUDIT_PATH, &at(view, place))>{name}</a> }
    });
    Some(view! { <Banner tone=Tone::Info>{text} " " {on}</Banner> })
}

/// The empty state below the headers.
fn nothing(view: &View) -> AnyView {
    let (newest, clear) = (link(AUDIT_PATH, &at(view, Place::Newest)), clear(view).into_any());
    match (view.place, view.q.trim()) {
        (Place::Newest, "") => view! {
            <EmptyState title="No events yet">
                <p>"Whatever happens to sessions, to people and to the catalogue is written down and shown here."</p>
            </EmptyState>
        }
        .into_any(),
        (Place::Newest, q) => view! {
            <EmptyState title=format!("No events match “{q}”")>
                <p>"Searches every column. All words must match."</p>
                {clear}
            </EmptyState>
        }
        .into_any(),
        _ => view! {
            <EmptyState title="No events here">
                <a class="button" href=newest>
                    "Newest events"
                </a>
            </EmptyState>
        }
        .into_any(),
    }
}

fn pager(view: &View, page: &Page) -> impl IntoView + use<> {
    let limits = LIMITS.map(|limit| {
        let sized = View {
            limit,
            ..at(view, Place::Newest)
        };
        let current = (view.limit == limit).then_some("true");
        view! {
            <a class="limit" href=link(AUDIT_PATH, &sized) aria-current=current>
                {limit}
            </a>
        }
    });
    let newer = page.newer.map(|id| {
        view! {
            <a class="button" href=link(AUDIT_PATH, &at(view, Place::After(id))) rel="prev">
                <Icon glyph=Glyph::Left />
                "Newer"
            </a>
        }
    });
    let older = page.older.map(|id| {
        view! {
            <a class="button" href=link(AUDIT_PATH, &at(view, Place::Before(id))) rel="next">
                "Older"
                <Icon glyph=Glyph::Right />
            </a>
        }
    });
    view! {
        <nav class="pager" aria-label="Pages">
            <span class="pager-limits">"Rows " {limits.into_iter().collect_view()}</span>
            {newer}
            {older}
        </nav>
    }
}

fn forbidden(me: &Me) -> impl IntoView + use<> {
    let (role, signed_in) = (format!("It needs the role {}.", Role::SystemAdmin), signed_in(me));
    view! {
        <EmptyState title="You can’t see this page">
            <p>{role} " " {signed_in}</p>
            <a class="button" href="/">
                "Go to My apps"
            </a>
        </EmptyState>
    }
}

fn failed(view: &View, problem: &Problem) -> impl IntoView + use<> {
    let (detail, again) = (problem.detail.clone(), link(AUDIT_PATH, view));
    let reference = format!("Reference: {} {}", problem.status, problem.code);
    view! {
        <div class="catalogue-page">
            <h1>"Audit"</h1>
            <EmptyState title=problem.title.clone()>
                <p>{detail}</p>
                <p class="quiet">{reference}</p>
                <a class="button" href=again>
                    "Try again"
                </a>
            </EmptyState>
        </div>
    }
}

/// The same search and page size at another position.
fn at(view: &View, place: Place) -> View {
    View { place, ..view.clone() }
}

fn link(path: &str, view: &View) -> String {
    let pairs = view.to_pairs();
    let query = address::query(pairs.iter().map(|(name, value)| (*name, value.as_str())));
    format!("{path}{query}")
}

/// Wraps the content in the frame of the admin portal. The head is plain text, because Leptos would
/// insert its markers into the title.
fn document(options: &LeptosOptions, me: &Me, content: AnyView) -> String {
    let open = |(path, name, needed): (&'static str, &'static str, Role)| {
        let current = (path == AUDIT_PATH).then_some("page");
        let link = view! {
            <li>
                <a href=path aria-current=current>
                    {name}
                </a>
            </li>
        };
        (me.role >= needed).then_some(link)
    };
    let links: Vec<_> = PAGES.into_iter().filter_map(open).collect();
    let navigation = (!links.is_empty()).then(|| navigation(links));
    let body = view! {
        <a class="skip-link" href="#content">
            "Skip to content"
        </a>
        {bar(view! { <UserMenu me=me.clone() /> })}
        <div class="admin">
            {navigation}
            <main class="page page-admin" id="content" tabindex="-1">
                {content}
            </main>
        </div>
    };
    let style = view! { <HashedStylesheet options=options.clone() /> };
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>Audit · Cloud Delivery</title>\
         <link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\">{}</head><body>{}</body></html>",
        style.to_html(),
        body.to_html()
    )
}

#[cfg(test)]
mod tests;
