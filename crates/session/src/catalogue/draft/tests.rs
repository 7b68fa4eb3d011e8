//! Which drafts are valid, and the errors of the others.

use uuid::Uuid;

use super::*;

const HOST: EnvironmentId = EnvironmentId(Uuid::from_u128(1));

fn environments() -> [EnvironmentChoice; 1] {
    [EnvironmentChoice {
        id: HOST,
        name: "This host".into(),
    }]
}

fn good() -> ApplicationDraft {
    ApplicationDraft {
        name: " Statistics ".into(),
        description: " Tests and plots. ".into(),
        category: " Statistics".into(),
        icon: "statistics".into(),
        launch_text: String::new(),
        environment_id: Some(HOST),
        program: "jamovi".into(),
        arguments: vec!["--open".into(), "a file".into()],
        seats: "30".into(),
        limits: [
            Some("5".into()),
            None,
            Some("30".into()),
            Some(" 15 ".into()),
            Some("480".into()),
        ],
        allow_user_namespaces: true,
        clipboard: Transfer::In,
        files: Transfer::Out,
        sound: false,
    }
}

fn wrong(change: impl FnOnce(&mut ApplicationDraft)) -> Vec<(Field, String)> {
    let mut draft = good();
    change(&mut draft);
    let errors = check(&draft, &environments()).expect_err("it must be refused");
    errors.into_iter().map(|error| (error.field, error.reason)).collect()
}

#[test]
fn a_good_draft_becomes_an_application_and_back() {
    let spec = check(&good(), &environments()).unwrap();
    assert_eq!((&*spec.name, &*spec.launch_text), ("Statistics", "Launch"));
    let look = &spec.appearance;
    assert_eq!(
        (&*look.description, &*look.category),
        ("Tests and plots.", "Statistics")
    );
    assert_eq!(look.icon.as_deref(), Some("statistics"));
    assert_eq!(spec.command, ["jamovi", "--open", "a file"]);
    assert_eq!(spec.seats, Some(30));
    assert!(spec.policy.allow_user_namespaces);
    assert_eq!(spec.policy.clipboard, Transfer::In);
    assert_eq!(spec.policy.files, Transfer::Out);
    assert!(!spec.policy.sound);
    assert_eq!(
        PolicyLimit::ALL.map(|limit| limit.words(&spec.policy)),
        ["5 min", "Off", "30 min", "15 min", "8 h"]
    );
    assert_eq!(check(&ApplicationDraft::from(&spec), &environments()), Ok(spec));
}

#[test]
fn a_new_form_lacks_only_what_nobody_can_guess() {
    let errors = check(&ApplicationDraft::default(), &environments()).unwrap_err();
    assert_eq!(
        errors.iter().map(|error| error.field).collect::<Vec<_>>(),
        [Field::Name, Field::Environment, Field::Program]
    );
}

#[test]
fn each_field_is_refused_with_its_own_reason() {
    type Change = fn(&mut ApplicationDraft);
    let cases: [(Field, &str, Change); 24] = [
        (Field::Name, "empty", |draft| draft.name = "  ".into()),
        (Field::Name, "At most 100 characters; it has 101", |draft| {
            draft.name = "é".repeat(101)
        }),
        (Field::Name, "control", |draft| draft.name = "a\u{7}b".into()),
        (Field::Description, "At most 200 characters; it has 201", |draft| {
            draft.description = "é".repeat(201)
        }),
        (Field::Description, "No line breaks", |draft| {
            draft.description = "a\nb".into()
        }),
        (Field::Description, "", |draft| {
            draft.description = "left \u{202e}thgir".into()
        }),
        (Field::Category, "At most 40", |draft| draft.category = "x".repeat(41)),
        (Field::Category, "", |draft| {
            draft.category = "Stat\u{200b}istics".into()
        }),
        (Field::Icon, "Choose one", |draft| draft.icon = "../../etc".into()),
        (Field::Icon, "Choose one", |draft| draft.icon = "A".repeat(64)),
        (Field::LaunchText, "At most 40", |draft| {
            draft.launch_text = "x".repeat(41)
        }),
        (Field::Environment, "Choose", |draft| draft.environment_id = None),
        (Field::Environment, "no such environment", |draft| {
            draft.environment_id = Some(EnvironmentId(Uuid::max()))
        }),
        (Field::Program, "empty", |draft| draft.program = String::new()),
        (Field::Program, "At most 1000", |draft| draft.program = "x".repeat(1001)),
        (Field::Arguments, "At most 50 arguments; there are 51", |draft| {
            draft.arguments = vec!["x".into(); 51]
        }),
        (Field::Arguments, "Argument 2: This can’t be empty", |draft| {
            draft.arguments[1] = String::new()
        }),
        (Field::Arguments, "Argument 1: No line breaks", |draft| {
            draft.arguments[0] = "a\nb".into()
        }),
        (Field::Seats, "from 1 to 100000", |draft| draft.seats = "0".into()),
        (Field::Seats, "from 1 to 100000", |draft| draft.seats = "+5".into()),
        (Field::Start, "from 1 to 525600", |draft| {
            draft.limits[0] = Some("0".into())
        }),
        (Field::NeverConnected, "or Off", |draft| {
            draft.limits[1] = Some(String::new())
        }),
        (Field::Disconnected, "Whole minutes", |draft| {
            draft.limits[3] = Some("1.5".into())
        }),
        (Field::Total, "525600", |draft| draft.limits[4] = Some("525601".into())),
    ];
    for (field, reason, change) in cases {
        let errors = wrong(change);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].0 == field && errors[0].1.contains(reason), "{errors:?}");
    }
}

#[test]
fn the_edges_are_in() {
    let mut draft = good();
    draft.name = "é".repeat(MAX_NAME_CHARS);
    draft.description = "é".repeat(MAX_DESCRIPTION_CHARS);
    draft.category = "é".repeat(MAX_CATEGORY_CHARS);
    draft.icon = "0f".repeat(32);
    draft.seats = "100000".into();
    draft.arguments = vec!["x".repeat(MAX_WORD_CHARS); MAX_ARGUMENTS];
    draft.limits = [Some("1".into()), Some("525600".into()), None, None, None];
    let spec = check(&draft, &environments()).unwrap();
    assert_eq!(
        spec.policy.never_connected_seconds.unwrap().get(),
        Policy::LONGEST_SECONDS
    );
}

#[test]
fn wrong_fields_are_listed_from_top_to_bottom() {
    let errors = wrong(|draft| {
        draft.limits[4] = Some("never".into());
        draft.seats = "many".into();
        draft.name = String::new();
    });
    let fields: Vec<_> = errors.iter().map(|(field, _)| *field).collect();
    assert_eq!(fields, [Field::Name, Field::Seats, Field::Total]);
}

#[test]
fn an_application_without_an_appearance_is_written_as_before() {
    let mut draft = good();
    (draft.description, draft.category, draft.icon) = Default::default();
    let spec = check(&draft, &environments()).unwrap();
    let text = serde_json::to_string(&spec).unwrap();
    assert!(!text.contains("appearance"), "{text}");
    assert_eq!(serde_json::from_str::<ApplicationSpec>(&text).unwrap(), spec);
}
