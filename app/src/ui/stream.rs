//! Server-sent events: one connection, closed on drop. It never reconnects; the caller decides when
//! to open another.

use std::rc::Rc;

use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, EventSource, MessageEvent};

/// An open event stream.
pub struct EventStream {
    source: EventSource,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _lost: Closure<dyn FnMut(Event)>,
}

impl EventStream {
    /// Opens `url`. `on_message` receives the name and data of each event listed in `names`.
    /// `on_lost` is called when the connection fails, or when the server ends or refuses it. `None`
    /// if the browser can't open a stream at all.
    pub fn open(
        url: &str,
        names: &[&str],
        on_message: impl Fn(&str, &str) + 'static,
        on_lost: impl Fn() + 'static,
    ) -> Option<Self> {
        let source = EventSource::new(url).ok()?;
        let message = Closure::new(move |event: MessageEvent| {
            if let Some(data) = event.data().as_string() {
                on_message(&event.type_(), &data);
            }
        });
        for name in names {
            source
                .add_event_listener_with_callback(name, message.as_ref().unchecked_ref())
                .ok()?;
        }
        let on_lost = Rc::new(on_lost);
        let lost = Closure::new({
            let source = source.clone();
            move |_: Event| {
                // Without this the browser would reconnect at its own pace, unnoticed.
                source.close();
                on_lost();
            }
        });
        source.set_onerror(Some(lost.as_ref().unchecked_ref()));
        Some(Self {
            source,
            _message: message,
            _lost: lost,
        })
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.source.set_onerror(None);
        self.source.close();
    }
}
