//! The choice of an application's icon: one that the server has, or an uploaded picture.

use leptos::{ev, prelude::*, task::spawn_local};
use session::{
    api::Problem,
    catalogue::{
        appearance::{DEFAULT_ICON, KEPT_ICONS, MAX_PICTURE_BYTES, picture},
        draft::{ApplicationDraft, Field as Of},
        form::PICTURE,
    },
};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, HtmlInputElement, RequestInit, Response};

use super::application_fields::FormState;
use crate::{
    components::portal::app_icon::app_icon,
    ui::{
        clock::later,
        dynamic::{dyn_text, dyn_view},
        field::id_of,
    },
};

/// Where uploads go. The answer has the name of the picture.
const UPLOADS: &str = "/api/v1/pictures";

/// Radio buttons of all icons, and a field to upload a picture.
pub fn icon_field(from: &ApplicationDraft, typed: RwSignal<FormState>, error: Signal<String>) -> AnyView {
    let chosen = if from.icon.is_empty() { DEFAULT_ICON } else { &from.icon };
    let uploaded = RwSignal::new(picture(chosen).is_some().then(|| chosen.to_owned()));
    let refused = RwSignal::new(String::new());
    let uploads = StoredValue::new(0_u32);
    let kept = KEPT_ICONS
        .map(|(code, label)| choice(code, label, code == chosen))
        .collect_view();
    let upload = move |event: ev::Event| {
        let Some(file) = chosen_file(&event) else { return };
        uploads.update_value(|count| *count += 1);
        let count = uploads.get_value();
        typed.update(|typed| {
            typed.uploading = true;
            typed.refused.retain(|error| error.field != Of::Icon);
        });
        refused.set(String::new());
        spawn_local(async move {
            let answer = send(&file).await;
            // Of several files the last one counts.
            if uploads.try_get_value() != Some(count) {
                return;
            }
            typed.try_update(|typed| typed.uploading = false);
            match answer {
                Ok(icon) => {
                    uploaded.try_set(Some(icon.clone()));
                    later(0, move || check(&icon, typed));
                }
                Err(why) => _ = refused.try_set(why),
            }
        });
    };
    let state = move || {
        let refused = refused.read();
        match (typed.read().uploading, refused.is_empty()) {
            (true, _) => "Uploading…".to_owned(),
            (false, true) => error.get(),
            (false, false) => refused.clone(),
        }
    };
    view! {
        <fieldset class="icons" id=id_of(Of::Icon.code()) tabindex="-1">
            <legend>{Of::Icon.label()}</legend>
            <div class="icon-choices">
                {kept}
                {dyn_view(move || uploaded.get().map(|icon| choice(&icon, "Uploaded picture", true)).into_any())}
            </div>
            <div class="field">
                <label for="field-picture">"Upload a picture"</label>
                <input
                    type="file"
                    id="field-picture"
                    name=PICTURE
                    accept="image/png,image/jpeg,image/webp"
                    aria-describedby="picture-state picture-hint"
                    on:change=upload
                />
                <p class="field-error" id="picture-state" role="status">
                    {dyn_text(state)}
                </p>
                <p class="field-hint" id="picture-hint">
                    {format!("PNG, JPEG or WebP, at most {} kB. It is shown as a square.", MAX_PICTURE_BYTES / 1024)}
                </p>
            </div>
        </fieldset>
    }
    .into_any()
}

fn choice(icon: &str, label: &'static str, checked: bool) -> AnyView {
    view! {
        <label class="icon-choice" title=label>
            <input type="radio" name=Of::Icon.code() value=icon.to_owned() aria-label=label checked=checked />
            {app_icon(Some(icon))}
        </label>
    }
    .into_any()
}

/// Checks the radio button of an uploaded picture. That of an earlier upload is reused, and may have
/// been unchecked since.
fn check(icon: &str, typed: RwSignal<FormState>) {
    let selector = format!("[name={}][value=\"{icon}\"]", Of::Icon.code());
    let button = document().query_selector(&selector).ok().flatten();
    if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlInputElement>().ok()) {
        button.set_checked(true);
        typed.try_update(|typed| icon.clone_into(&mut typed.draft.icon));
    }
}

fn chosen_file(event: &ev::Event) -> Option<File> {
    let input = event.target()?.dyn_into::<HtmlInputElement>().ok()?;
    input.files()?.get(0)
}

/// Uploads a file. Returns the name of the picture, or the reason why there is none.
async fn send(file: &File) -> Result<String, String> {
    if file.size() > MAX_PICTURE_BYTES as f64 {
        let (size, most) = ((file.size() / 1024.0).ceil(), MAX_PICTURE_BYTES / 1024);
        return Err(format!("The file has {size} kB; at most {most} kB are possible."));
    }
    let (status, text) = post(file)
        .await
        .ok_or("The server could not be reached. Choose the file again.")?;
    if status == 201 {
        let name = serde_json::from_str::<Uploaded>(&text).map(|uploaded| uploaded.icon);
        return name.map_err(|_| "The server’s answer could not be read.".to_owned());
    }
    let problem = serde_json::from_str::<Problem>(&text);
    Err(problem.map_or_else(|_| "The picture was refused.".to_owned(), |problem| problem.detail))
}

#[derive(serde::Deserialize)]
struct Uploaded {
    icon: String,
}

/// Status and text of the answer; `None` if there is none.
async fn post(file: &File) -> Option<(u16, String)> {
    let request = RequestInit::new();
    request.set_method("POST");
    request.set_body(file);
    let answer = JsFuture::from(window().fetch_with_str_and_init(UPLOADS, &request)).await;
    let answer: Response = answer.ok()?.dyn_into().ok()?;
    let text = JsFuture::from(answer.text().ok()?).await.ok()?;
    Some((answer.status(), text.as_string()?))
}
