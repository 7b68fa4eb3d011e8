use super::*;

const LINK: Link<'static> = Link {
    revision: 1,
    session_id: None,
    at: 5,
    kind: "ready",
    actor: "{}",
    what: "{}",
};

#[test]
fn every_part_and_the_place_in_the_chain_count() {
    let hash = LINK.hash(&START);
    for other in [
        Link { revision: 2, ..LINK },
        Link {
            session_id: Some(SessionId(uuid::Uuid::nil())),
            ..LINK
        },
        Link { at: 6, ..LINK },
        Link {
            kind: "read",
            actor: "y{}",
            ..LINK
        },
        Link { actor: "[]", ..LINK },
        Link { what: "[]", ..LINK },
    ] {
        assert_ne!(other.hash(&START), hash, "{other:?}");
    }
    assert_ne!(LINK.hash(&hash), hash);
}

#[test]
fn a_check_names_the_first_place_that_is_wrong() {
    let first = LINK.hash(&START);
    let second = LINK.hash(&first);
    let checked = |events: &[&Hash], head: &Hash| {
        let mut check = Check::new(&[]);
        for (number, hash) in (1..).zip(events) {
            check.next(number, &LINK, *hash);
        }
        check.end(head).broken
    };
    assert_eq!(checked(&[&first, &second], &second), None);
    assert_eq!(checked(&[], &START), None);
    assert!(checked(&[&second], &second).is_some_and(|text| text.contains("event 1")));
    assert!(checked(&[&first, &first], &first).is_some_and(|text| text.contains("event 2")));
    assert!(checked(&[&first], &second).is_some_and(|text| text.contains("last")));
}

#[test]
fn a_head_is_found_where_its_event_is() {
    let first = LINK.hash(&START);
    let second = LINK.hash(&first);
    let wanted = [second, [7; 32], START];
    let mut check = Check::new(&wanted);
    check.next(1, &LINK, &first);
    check.next(2, &LINK, &second);
    let verified = check.end(&second);
    assert_eq!((verified.last, verified.found), (2, vec![Some(2), None, Some(0)]));
}

#[test]
fn a_checkpoint_is_verified_with_its_key_only_and_as_it_was_signed() {
    let key = Key::new(&[1; 32]).unwrap();
    let head = Head {
        number: 9,
        hash: [3; 32],
    };
    let signed = key.sign(head, Timestamp::UNIX_EPOCH).unwrap();
    assert!(key.verifies(&signed));
    assert!(!Key::new(&[2; 32]).unwrap().verifies(&signed));
    for forged in [
        Checkpoint {
            head: Head { number: 8, ..head },
            ..signed.clone()
        },
        Checkpoint {
            head: Head { hash: [4; 32], ..head },
            ..signed.clone()
        },
        Checkpoint {
            at: Timestamp::UNIX_EPOCH + chrono::TimeDelta::seconds(1),
            ..signed.clone()
        },
    ] {
        assert!(!key.verifies(&forged), "{forged:?}");
    }
    assert!(Key::new(&[1; 31]).is_none(), "too short");
    assert_eq!(format!("{key:?}"), "Key(…)");
}

#[test]
fn a_hash_is_read_as_it_is_printed() {
    let hash = LINK.hash(&START);
    assert_eq!(parse_hex(&hex(&hash)), Some(hash));
    for text in ["", "00", &"g".repeat(64), &"é".repeat(32)] {
        assert_eq!(parse_hex(text), None, "{text}");
    }
}
