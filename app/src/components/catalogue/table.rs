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

/// A table of `list`. The last column, without a header, is for the actions of a row.
#[component]
pub fn CatalogueTable<T: PartialEq + Send + Sync + 'static>(
    /// The rows' list.
    list: PolledList<T>,
    /// Its accessible name: "Applications".
    name: &'static str,
    /// Accessible name of its scrolling region: "Table of applications".
    region: &'static str,
    /// The role that the page needs.
    needed: Role,
    /// The headers, without that of the actions.
    headers: &'static [&'static str],
    /// The ids of the rows, from top to bottom.
    #[prop(into)]
    keys: Signal<Vec<u128>>,
    /// Draws the row of an id.
    row: fn(PolledList<T>, u128) -> AnyView,
    /// Shown in place of rows.
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
