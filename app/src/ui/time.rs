//! Moments: UTC in the server's HTML, the person's time zone after hydration.

use chrono::{DateTime, Utc};
use js_sys::{Array, Date, Function, Intl, Object, Reflect};
use leptos::prelude::*;
use wasm_bindgen::JsValue;

use super::hydration;

/// Level of detail of a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// `24 Nov, 14:05 CET`; with the year unless it is the current one.
    #[default]
    DateAndTime,
    /// `24 Nov, 14:05`; with the year unless it is the current one. For pages that name the zone
    /// once.
    Brief,
    /// `24 Nov, 14:05:09`; with the year unless it is the current one. For lists that show the order
    /// of events and name the zone once.
    Second,
    /// `24 Nov 2026, 14:05:09 CET`.
    Exact,
    /// `14:05`.
    TimeOfDay,
}

/// Whether the page is hydrated. Provided once, at the root.
#[derive(Clone, Copy)]
struct Alive(RwSignal<bool>);

/// Enables local time: once hydrated, every moment below is in the person's time zone. Call it
/// once, in the root component.
pub fn provide_local_time() {
    let alive = RwSignal::new(false);
    provide_context(Alive(alive));
    // Tests wait for this attribute before their first click.
    Effect::new(move || {
        hydration::after(move || {
            alive.set(true);
            let _ = document()
                .document_element()
                .map(|root| root.set_attribute("data-alive", ""));
        });
    });
}

/// Whether the page is hydrated. False in every first render.
pub fn is_alive() -> Signal<bool> {
    match use_context::<Alive>() {
        None => Signal::stored(false),
        // Hydration happens once, so later views need not track it.
        Some(Alive(signal)) if signal.get_untracked() => Signal::stored(true),
        Some(Alive(signal)) => signal.into(),
    }
}

/// Formats in the browser's zone and locale, with Western digits because the page is in English.
/// `None` if the browser can't.
pub fn local(at: DateTime<Utc>, detail: Detail) -> Option<String> {
    thread_local! {
        // Creating a formatter costs as much as a thousand uses.
        static YEAR: Function = formatter(&[&[("year", "numeric")], &DAY, &TIME, &ZONE]);
        static THIS_YEAR: Function = formatter(&[&DAY, &TIME, &ZONE]);
        static BRIEF: Function = formatter(&[&DAY, &TIME]);
        static BRIEF_YEAR: Function = formatter(&[&[("year", "numeric")], &DAY, &TIME]);
        static SECOND_YEAR: Function = formatter(&[&[("year", "numeric")], &DAY, &TIME, &SECOND]);
        static SECOND_BRIEF: Function = formatter(&[&DAY, &TIME, &SECOND]);
        static EXACT: Function = formatter(&[&[("year", "numeric")], &DAY, &TIME, &SECOND, &ZONE]);
        static TIME_OF_DAY: Function = formatter(&[&TIME]);
    }
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this era are exact in an f64")]
    let date = Date::new(&JsValue::from_f64(at.timestamp_millis() as f64));
    let format = |function: &Function| function.call1(&JsValue::UNDEFINED, &date);
    // The year takes space in every row, so it is shown only if it differs.
    let this_year = date.get_full_year() == Date::new_0().get_full_year();
    match detail {
        Detail::DateAndTime if this_year => THIS_YEAR.with(format),
        Detail::DateAndTime => YEAR.with(format),
        Detail::Brief if this_year => BRIEF.with(format),
        Detail::Brief => BRIEF_YEAR.with(format),
        Detail::Second if this_year => SECOND_BRIEF.with(format),
        Detail::Second => SECOND_YEAR.with(format),
        Detail::Exact => EXACT.with(format),
        Detail::TimeOfDay => TIME_OF_DAY.with(format),
    }
    .ok()
    .and_then(|text| text.as_string())
}

/// Name of the browser's time zone, `Europe/Berlin`. Unlike `CET` it is the same for all times of the
/// year.
pub fn zone() -> Option<String> {
    let resolved = Intl::DateTimeFormat::new(&Array::new(), &Object::new()).resolved_options();
    Reflect::get(&resolved, &"timeZone".into()).ok()?.as_string()
}

type Options = [(&'static str, &'static str)];
const DAY: [(&str, &str); 2] = [("day", "2-digit"), ("month", "short")];
const TIME: [(&str, &str); 1] = [("minute", "2-digit")];
const SECOND: [(&str, &str); 1] = [("second", "2-digit")];
const ZONE: [(&str, &str); 1] = [("timeZoneName", "short")];

fn formatter(formats: &[&Options]) -> Function {
    Intl::DateTimeFormat::new(&Array::new(), &options(formats)).format()
}

fn options(options: &[&Options]) -> Object {
    let object = Object::new();
    let _ = Reflect::set(&object, &"numberingSystem".into(), &"latn".into());
    for (name, value) in options.iter().copied().flatten() {
        // Setting a property of a new plain object can't fail.
        let _ = Reflect::set(&object, &(*name).into(), &(*value).into());
    }
    // A 12-hour clock shows 8:18 PM, a 24-hour clock 08:18.
    let hour = if counts_to_twelve() { "numeric" } else { "2-digit" };
    let _ = Reflect::set(&object, &"hour".into(), &hour.into());
    object
}

/// Whether the browser's locale uses a 12-hour clock.
fn counts_to_twelve() -> bool {
    let hours = Object::new();
    let _ = Reflect::set(&hours, &"hour".into(), &"numeric".into());
    let resolved = Intl::DateTimeFormat::new(&Array::new(), &hours).resolved_options();
    Reflect::get(&resolved, &"hour12".into()).is_ok_and(|answer| answer.is_truthy())
}
