//! The fields of an application's form, by their names in the document. A page reads them from its
//! elements, the server from the body of a plain form.

use super::{
    appearance::DEFAULT_ICON,
    draft::{ApplicationDraft, Field},
};
use crate::{Transfer, policy::PolicyLimit};

/// Name suffix of the check box that turns a limit off.
pub const OFF: &str = "_off";

/// Name of the field with the application as it was when the form was opened, as JSON.
pub const SEEN: &str = "seen";

/// Name of the field with a picture to upload.
pub const PICTURE: &str = "picture";

/// The draft of a form. `value` returns the value of a field by its name; `None` if there is no such
/// field, or if it is a check box that is not checked.
pub fn draft(value: impl Fn(&str) -> Option<String>) -> ApplicationDraft {
    let text = |of: Field| value(of.code()).unwrap_or_default();
    let lines = text(Field::Arguments);
    let lines = lines.lines().filter(|line| !line.trim().is_empty());
    ApplicationDraft {
        name: text(Field::Name),
        description: text(Field::Description),
        category: text(Field::Category),
        // The default is no choice: it stays the default if another icon becomes that.
        icon: Some(text(Field::Icon))
            .filter(|icon| icon != DEFAULT_ICON)
            .unwrap_or_default(),
        launch_text: text(Field::LaunchText),
        environment_id: text(Field::Environment).parse().ok(),
        program: text(Field::Program),
        arguments: lines.map(str::to_owned).collect(),
        seats: text(Field::Seats),
        limits: PolicyLimit::ALL.map(|limit| {
            let of = Field::of(limit);
            let off = value(&format!("{}{OFF}", of.code())).is_some();
            (!off).then(|| text(of))
        }),
        allow_user_namespaces: value(Field::UserNamespaces.code()).is_some(),
        clipboard: Transfer::of_code(&text(Field::Clipboard)).unwrap_or_default(),
        files: Transfer::of_code(&text(Field::Files)).unwrap_or_default(),
        sound: value(Field::Sound.code()).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_read_by_its_name() {
        let form = [
            ("name", "Plots"),
            ("icon", "statistics"),
            ("arguments", "-x\r\n\r\na b\n"),
            ("idle", "30"),
            ("total_off", "on"),
        ];
        let value = |name: &str| {
            form.iter()
                .find(|(of, _)| *of == name)
                .map(|(_, value)| (*value).to_owned())
        };
        let draft = draft(value);
        assert_eq!(
            (&*draft.name, &*draft.icon, &*draft.category),
            ("Plots", "statistics", "")
        );
        assert_eq!(draft.arguments, ["-x", "a b"]);
        assert_eq!(draft.limits[PolicyLimit::Idle as usize].as_deref(), Some("30"));
        assert_eq!(draft.limits[PolicyLimit::Total as usize], None);
        assert_eq!(draft.limits[PolicyLimit::Start as usize].as_deref(), Some(""));
        assert!(!draft.allow_user_namespaces && !draft.sound);
    }
}
