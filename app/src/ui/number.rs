//! Localised integers: `1,234,567` in the server's HTML, the browser's format after hydration.

use js_sys::{Array, Function, Intl, Object};
use leptos::prelude::*;
use wasm_bindgen::JsValue;

use super::time::is_alive;

/// Formats integers. A cheap handle; copy it freely.
#[derive(Clone, Copy)]
pub struct Numbers(Signal<bool>);

impl Numbers {
    /// A formatter for the calling component.
    pub fn here() -> Self {
        Self(is_alive())
    }

    /// The number with digit grouping. Switches to the browser's format after hydration.
    pub fn text(&self, number: impl TryInto<u32>) -> String {
        let number = number.try_into().unwrap_or(u32::MAX);
        let local = self.0.get().then(|| local(number)).flatten();
        local.unwrap_or_else(|| grouped(number))
    }
}

/// The number in the browser's format; `None` if formatting fails.
fn local(number: u32) -> Option<String> {
    thread_local! {
        // Creating a formatter costs as much as a thousand uses.
        static FORMAT: Function = Intl::NumberFormat::new(&Array::new(), &Object::new()).format();
    }
    let text = FORMAT.with(|format| format.call1(&JsValue::UNDEFINED, &number.into()));
    text.ok()?.as_string()
}

/// Groups digits with commas: `1,234,567`.
pub fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(super::grouped(number), text);
        }
    }
}
