//! The table of a catalogue page: banners, headers, live rows, and the empty state.

use leptos::prelude::*;
use session::Role;

use crate::{
    components::{
        failure::FailedAction,
        polled_list::{PolledList, TroubleBanner},
    },
    ui::dynamic::{DynShow, keyed},
};

/// A table of `list`. The last column has no header and contains the actions.
#[component]
pub fn CatalogueTable<T: PartialEq + Send + Sync + 'static>(
    /// List to show.
    list: PolledList<T>,
    /// Accessible name: "Applications".
    name: &'static str,
    /// Accessible name of the scrolling region: "Table of applications".
    region: &'static str,
    /// Role required for the page.
    needed: Role,
    /// Headers, without the column of actions.
    headers: &'static [&'static str],
    /// Row ids, from top to bottom.
    #[prop(into)]
    keys: Signal<Vec<u128>>,
    /// Renders the row with this id.
    row: fn(PolledList<T>, u128) -> AnyView,
    /// Shown if there are no rows.
    #[prop(into)]
    empty: ViewFn,
) -> impl IntoView {
    view! {
        <div class="banners">
            <TroubleBanner trouble=list.trouble needed />
            <FailedAction failed=list.failed />
        </div>
        <div class="table-scroll" role="region" aria-label=region tabindex="0">
            <table class="table" aria-label=name>
                <thead>
                    <tr>
                        {headers.iter().map(|header| view! { <th scope="col">{*header}</th> }).collect_view()}
                        <td class="col-action"></td>
                    </tr>
                </thead>
                <tbody>{keyed(keys, move |key| row(list, key))}</tbody>
            </table>
        </div>
        <DynShow is=move || keys.read().is_empty()>{empty.run()}</DynShow>
    }
    .into_any()
}
