//! Server-sent events: one connection, closed when dropped. It never reconnects by itself: who opens it decides when.

use std::rc::Rc;

use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, EventSource, MessageEvent};

/// An open connection.
pub struct EventStream {
    source: EventSource,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _lost: Closure<dyn FnMut(Event)>,
}

impl EventStream {
    /// Opens `url`. `on_message` gets the name and the data of each event whose name is among `names`; `on_lost` is called
    /// when the connection fails or the server ends or refuses it. `None` if the browser can't open it at all.
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
                // Otherwise the browser would try again at its own pace, unseen.
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
