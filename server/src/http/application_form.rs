//! The plain form of an application, for browsers without JavaScript.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{Multipart, Path, State, multipart::MultipartError},
    response::Redirect,
};
use control::Control;
use session::{
    api::{Me, Problem},
    catalogue::{draft::ApplicationDraft, form},
};

use super::{AppState, authentication::Person, problem::Refused};

/// `POST /admin/cloud-delivery/applications/{id}`; the id is `new` for a new application.
pub async fn save(
    State(state): State<AppState>,
    Person(me): Person,
    Path(id): Path<String>,
    body: Multipart,
) -> Result<Redirect, Refused> {
    Sent::read(body).await?.save(&state.control, &me, &id).await?;
    Ok(Redirect::to(app::APPLICATIONS_PATH))
}

/// The fields of the form.
struct Sent {
    draft: ApplicationDraft,
    /// The application when the form was opened, as JSON; `None` for a new one.
    seen: Option<String>,
    /// The uploaded picture, if one was chosen.
    picture: Option<Vec<u8>>,
}

impl Sent {
    async fn read(mut body: Multipart) -> Result<Self, Refused> {
        let (mut texts, mut picture) = (HashMap::new(), None);
        while let Some(field) = body.next_field().await.map_err(broken)? {
            let name = field.name().unwrap_or_default().to_owned();
            if name == form::PICTURE {
                let bytes = field.bytes().await.map_err(broken)?;
                // A browser sends an empty file if none was chosen.
                picture = (!bytes.is_empty()).then(|| bytes.into());
            } else {
                texts.insert(name, field.text().await.map_err(broken)?);
            }
        }
        Ok(Self {
            draft: form::draft(|name| texts.get(name).cloned()),
            seen: texts.remove(form::SEEN),
            picture,
        })
    }

    async fn save(mut self, control: &Arc<Control>, me: &Me, id: &str) -> Result<(), Refused> {
        if let Some(picture) = self.picture {
            self.draft.icon = control.add_picture(me, picture).await?;
        }
        match self.seen {
            None => control.add_application(me, &self.draft).await?,
            Some(seen) => {
                let id = id.parse().map_err(|_| malformed("The address names no application."))?;
                let seen = serde_json::from_str(&seen).map_err(malformed)?;
                control.edit_application(me, id, &self.draft, seen).await?
            }
        };
        Ok(())
    }
}

fn broken(error: MultipartError) -> Refused {
    malformed(error.body_text())
}

fn malformed(detail: impl ToString) -> Refused {
    let title = "The form can't be understood";
    Refused(Problem::new(400, "malformed", title, detail.to_string()))
}
