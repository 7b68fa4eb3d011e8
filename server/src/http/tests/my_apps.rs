//! Favourites, and the icons that administrators upload.

use axum::{
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
    response::Response,
};
use session::{Role, catalogue::draft::ApplicationDraft};
use store::EnvironmentRow;

use super::{TestServer, UNKNOWN, code, is};

/// A PNG of one pixel.
const PIXEL: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8, 2,
    0, 0, 0, 0x90, 0x77, 0x53, 0xde, 0, 0, 0, 12, b'I', b'D', b'A', b'T', 0x78, 0xda, 0x63, 0x38, 0xc1, 0xc0, 0, 0, 2,
    0x5c, 0, 0xc9, 0x7d, 0x35, 0xc1, 0xea, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

async fn upload(server: &TestServer, cookie: Option<&str>, body: Vec<u8>) -> Response {
    let path = "/api/v1/pictures";
    let send = |request: &mut Request<Body>| *request.body_mut() = Body::from(body);
    server.ask(Method::POST, path, cookie, send).await
}

#[tokio::test]
async fn an_icon_is_uploaded_by_an_administrator_and_served_to_people_who_signed_in() {
    let server = TestServer::new().await;
    let admin = server.cookie(Role::AppAdmin).await;
    let added = upload(&server, Some(&admin), PIXEL.to_vec()).await;
    assert_eq!(added.status(), StatusCode::CREATED);
    let body = to_bytes(added.into_body(), usize::MAX).await.unwrap();
    let name: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let path = format!("/pictures/{}", name["icon"].as_str().unwrap());

    let user = server.cookie(Role::User).await;
    let shown = server.get(&path, Some(&user)).await;
    assert_eq!(shown.status(), StatusCode::OK);
    let headers = shown.headers();
    assert_eq!(headers[header::CONTENT_TYPE], "image/png");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers[header::CACHE_CONTROL], "private, max-age=31536000, immutable");
    assert_eq!(
        headers[header::CONTENT_SECURITY_POLICY],
        "default-src 'none'; sandbox; frame-ancestors 'none'"
    );
    let png = to_bytes(shown.into_body(), usize::MAX).await.unwrap();
    assert_ne!(png, PIXEL, "never the bytes of the upload");
    assert_eq!(&png[16..24], [0, 0, 0, 128, 0, 0, 0, 128], "its size");

    assert_eq!(code(server.get(&path, None).await).await, is(401, "sign_in"));
    for other in [&"0".repeat(64), "kept.svg", "..%2F..%2Fetc%2Fpasswd"] {
        let missing = server.get(&format!("/pictures/{other}"), Some(&user)).await;
        assert_eq!(code(missing).await, is(404, "no_such_picture"), "{other}");
    }
}

#[tokio::test]
async fn an_upload_is_refused_with_its_reason() {
    let server = TestServer::new().await;
    let admin = server.cookie(Role::AppAdmin).await;
    let user = server.cookie(Role::User).await;
    assert_eq!(
        code(upload(&server, None, PIXEL.to_vec()).await).await,
        is(401, "sign_in")
    );
    let refused = upload(&server, Some(&user), PIXEL.to_vec()).await;
    assert_eq!(code(refused).await, is(403, "forbidden"));
    let mut bomb = PIXEL.to_vec();
    // 60,000 pixels wide and high, with the checksum of that.
    bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    bomb[29..33].copy_from_slice(&[0x0f, 0xb0, 0xe2, 0x15]);
    for (body, expected) in [
        (
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(),
            is(415, "picture_format"),
        ),
        (Vec::new(), is(415, "picture_format")),
        (PIXEL[..40].to_vec(), is(422, "picture_unreadable")),
        (bomb, is(422, "picture_unreadable")),
        (vec![0; 256 * 1024 + 1], is(413, "picture_too_large")),
        (vec![0; 600 * 1024], is(413, "too_large")),
    ] {
        let refused = upload(&server, Some(&admin), body).await;
        assert_eq!(code(refused).await, expected);
    }
}

/// Adds an application and returns its id.
async fn application(server: &TestServer) -> String {
    let row = EnvironmentRow {
        id: UNKNOWN.parse().unwrap(),
        name: "Host".into(),
        kind: "local".into(),
        open: true,
        homes: None,
    };
    let (store, operator) = (&server.store, server.control.operator().await.unwrap());
    let now = server.control.now();
    store::Catalogue::add_environment(&**store, &row, &session::Actor::System, now)
        .await
        .unwrap();
    let draft = ApplicationDraft {
        name: "Terminal".into(),
        environment_id: Some(row.id),
        program: "xterm".into(),
        ..ApplicationDraft::default()
    };
    let added = server.control.add_application(&operator, &draft).await.unwrap();
    added.id.to_string()
}

async fn mine(server: &TestServer, cookie: &str) -> serde_json::Value {
    let answer = server.get("/api/v1/applications", Some(cookie)).await;
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn a_favourite_is_set_by_its_person_only_and_only_for_what_exists() {
    let server = TestServer::new().await;
    let id = application(&server).await;
    let (user, other) = (server.cookie(Role::User).await, server.cookie(Role::Reporter).await);
    let path = |id: &str| format!("/api/v1/applications/{id}/favourite");
    let set = async |method, path: &str, cookie: Option<&str>| server.ask(method, path, cookie, |_| {}).await;
    assert_eq!(set(Method::PUT, &path(&id), Some(&user)).await.status(), 204);
    assert_eq!(mine(&server, &user).await[0]["favourite"], true);
    assert_eq!(mine(&server, &other).await[0]["favourite"], false);
    assert_eq!(set(Method::DELETE, &path(&id), Some(&user)).await.status(), 204);
    assert_eq!(mine(&server, &user).await[0]["favourite"], false);
    for (who, id, expected) in [
        (None, &*id, is(401, "sign_in")),
        (Some(&*user), UNKNOWN, is(404, "no_such_application")),
        (Some(&*user), "rubbish", is(400, "malformed")),
    ] {
        for method in [Method::PUT, Method::DELETE] {
            assert_eq!(code(set(method, &path(id), who).await).await, expected);
        }
    }
}

#[tokio::test]
async fn the_plain_form_of_a_favourite_leads_back_to_the_search() {
    let server = TestServer::new().await;
    let id = application(&server).await;
    let user = server.cookie(Role::User).await;
    for (q, to) in [
        ("", format!("/#app-{id}")),
        ("&q=a%26b%0d%0ax", format!("/?q=a%26b%0D%0Ax#app-{id}")),
    ] {
        let form = format!("application={id}&favourite=true{q}");
        let send = |request: &mut Request<Body>| {
            let kind = "application/x-www-form-urlencoded".parse().unwrap();
            request.headers_mut().insert(header::CONTENT_TYPE, kind);
            *request.body_mut() = Body::from(form);
        };
        let answer = server.ask(Method::POST, "/favourites", Some(&user), send).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(answer.headers()[header::LOCATION], to.as_str());
    }
    assert_eq!(mine(&server, &user).await[0]["favourite"], true);
}

/// The body of a plain form, as a browser sends it.
fn multipart(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        let file = if *name == "picture" {
            "; filename=\"icon.png\""
        } else {
            ""
        };
        let head = format!("--line\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--line--\r\n");
    body
}

async fn save(server: &TestServer, cookie: &str, id: &str, body: Vec<u8>) -> Response {
    let path = format!("/admin/cloud-delivery/applications/{id}");
    let send = |request: &mut Request<Body>| {
        let headers = request.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            "multipart/form-data; boundary=line".parse().unwrap(),
        );
        headers.insert(header::ACCEPT, "application/json".parse().unwrap());
        *request.body_mut() = Body::from(body);
    };
    server.ask(Method::POST, &path, Some(cookie), send).await
}

#[tokio::test]
async fn the_plain_form_of_an_application_saves_it_with_its_picture() {
    let server = TestServer::new().await;
    let id = application(&server).await;
    let (admin, user) = (server.cookie(Role::AppAdmin).await, server.cookie(Role::User).await);
    let operator = server.control.operator().await.unwrap();
    let spec = async || {
        let all = server.control.applications(&operator).await.unwrap();
        all.into_iter()
            .find(|application| application.id.to_string() == id)
            .unwrap()
            .spec
    };
    let seen = serde_json::to_vec(&spec().await).unwrap();
    let host = UNKNOWN.as_bytes();
    let fields = |name: &'static [u8], picture: &'static [u8], seen: &'static [u8]| {
        let mut fields: Vec<(&str, &[u8])> = vec![("name", name), ("environment", host), ("program", b"xterm")];
        fields.extend([("category", &b"Tools"[..]), ("icon", b"terminal"), ("picture", picture)]);
        fields.extend(
            [
                "start_off",
                "never_connected_off",
                "idle_off",
                "disconnected_off",
                "total_off",
            ]
            .map(|off| (off, &b"on"[..])),
        );
        fields.push(("seen", seen));
        multipart(&fields)
    };
    let seen: &'static [u8] = seen.leak();

    let forbidden = save(&server, &user, &id, fields(b"Mine", b"", seen)).await;
    assert_eq!(code(forbidden).await, is(403, "forbidden"));
    let forbidden = save(&server, &user, &id, fields(b"Mine", PIXEL, seen)).await;
    assert_eq!(code(forbidden).await, is(403, "forbidden"));
    let invalid = save(&server, &admin, &id, fields(b"", b"", seen)).await;
    assert_eq!(code(invalid).await, is(422, "invalid_application"));
    let picture = save(&server, &admin, &id, fields(b"Shell", b"<svg/>", seen)).await;
    assert_eq!(code(picture).await, is(415, "picture_format"));
    assert_eq!(&*spec().await.name, "Terminal", "nothing has changed");

    let saved = save(&server, &admin, &id, fields(b"Shell", PIXEL, seen)).await;
    assert_eq!(saved.status(), StatusCode::SEE_OTHER);
    assert_eq!(saved.headers()[header::LOCATION], "/admin/cloud-delivery/applications");
    let now = spec().await;
    assert_eq!((&*now.name, &*now.appearance.category), ("Shell", "Tools"));
    assert!(now.appearance.picture().is_some(), "{now:?}");
    let late = save(&server, &admin, &id, fields(b"Late", b"", seen)).await;
    assert_eq!(code(late).await, is(409, "application_changed"));
    for (id, seen) in [("rubbish", seen), (&*id, b"{")] {
        let malformed = save(&server, &admin, id, fields(b"X", b"", seen)).await;
        assert_eq!(code(malformed).await, is(400, "malformed"));
    }
}
