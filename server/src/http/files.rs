//! `/files`: the page Files, its forms, and transfers. Bodies and answers of transfers are streams, so
//! these routes have no limit of body size; each part of a body has a timeout.

use std::time::Duration;

use app::files_page::{self, Row, RowKind};
use axum::{
    Form,
    body::Body,
    extract::{Multipart, Query, State, multipart::Field},
    http::{HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use control::Error;
use environments::EntryKind;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use session::{EnvironmentId, api::Problem};
use tokio::{io::AsyncRead, time::timeout};
use tokio_util::io::ReaderStream;

use super::{AppState, authentication::Person, problem::Refused, tab};

/// Timeout for the next part of an upload.
pub(super) const STALLED: Duration = Duration::from_secs(30);
/// Size of the buffer of a download, in bytes.
const BUFFER: usize = 256 * 1024;

/// A folder or a file.
#[derive(Deserialize)]
pub struct Place {
    environment: Option<EnvironmentId>,
    #[serde(default)]
    path: String,
    /// Code of the refusal of the last action.
    wrong: Option<String>,
}

/// A form about a folder or a file.
#[derive(Deserialize)]
pub struct Action {
    environment: EnvironmentId,
    path: String,
    #[serde(default)]
    name: String,
}

/// `GET /files`
pub async fn show(State(state): State<AppState>, Person(me): Person, Query(place): Query<Place>) -> Response {
    match state.control.folder(&me, place.environment, &place.path).await {
        Ok(folder) => tab::answer(
            200,
            files_page::page(&view(folder), place.wrong.as_deref().and_then(reason)),
        ),
        Err(error) => Refused::from(error).into_response(),
    }
}

/// `GET /files/download`
pub async fn download(
    State(state): State<AppState>,
    Person(me): Person,
    Query(file): Query<Action>,
) -> Result<Response, Refused> {
    let reading = state.control.download(&me, file.environment, &file.path).await?;
    Ok(attachment(
        reading.content,
        name_of(&file.path),
        "application/octet-stream",
    ))
}

/// `GET /files/archive`: a folder as a zip archive.
pub async fn archive(
    State(state): State<AppState>,
    Person(me): Person,
    Query(folder): Query<Action>,
) -> Result<Response, Refused> {
    let archive = state.control.download_folder(&me, folder.environment, &folder.path);
    let name = match name_of(&folder.path) {
        "" => "home.zip".to_owned(),
        name => format!("{name}.zip"),
    };
    Ok(attachment(archive.await?, &name, "application/zip"))
}

/// The last name of a path.
fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// A file for the browser to save.
pub(super) fn attachment(content: impl AsyncRead + Send + 'static, name: &str, content_type: &'static str) -> Response {
    let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
    let disposition = format!("attachment; filename*=UTF-8''{name}");
    let mut answer = Body::from_stream(ReaderStream::with_capacity(content, BUFFER)).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    answer
}

/// `POST /files/upload`: the fields `environment` and `path`, then any number of files.
pub async fn upload(
    State(state): State<AppState>,
    Person(me): Person,
    mut form: Multipart,
) -> Result<Response, Refused> {
    let (mut environment, mut path) = (None, String::new());
    while let Some(mut field) = next(form.next_field()).await? {
        match field.name() {
            Some("environment") => environment = next(field.text()).await?.parse().ok(),
            Some("path") => path = next(field.text()).await?,
            Some("file") => {
                let id = environment.ok_or_else(|| Error::Malformed("The form has no environment.".into()))?;
                let name = field.file_name().unwrap_or_default().to_owned();
                if let Err(error) = receive(&state, &me, (id, &path), &name, &mut field).await? {
                    return Ok(back(id, &path, Err(error)));
                }
            }
            _ => {}
        }
    }
    let id = environment.ok_or_else(|| Error::Malformed("The form has no environment.".into()))?;
    Ok(back(id, &path, Ok(())))
}

/// Receives one file. The outer error is one of the request, the inner one of the file.
async fn receive(
    state: &AppState,
    me: &session::api::Me,
    (environment, folder): (EnvironmentId, &str),
    name: &str,
    field: &mut Field<'_>,
) -> Result<Result<(), Error>, Refused> {
    let mut upload = match state.control.upload(me, environment, folder, name).await {
        Ok(upload) => upload,
        Err(error) => return Ok(Err(error)),
    };
    while let Some(bytes) = next(field.chunk()).await? {
        if let Err(error) = upload.write(&bytes).await {
            return Ok(Err(error));
        }
    }
    Ok(upload.commit().await.map(drop))
}

/// The next part of a form, unless it is invalid or does not arrive.
async fn next<T>(
    part: impl Future<Output = Result<T, axum::extract::multipart::MultipartError>>,
) -> Result<T, Refused> {
    let bad = |status, code, title, detail: String| Refused(Problem::new(status, code, title, detail));
    match timeout(STALLED, part).await {
        Ok(Ok(part)) => Ok(part),
        Ok(Err(error)) => Err(bad(
            400,
            "bad_body",
            "The upload was incomplete",
            format!("Nothing was stored: {error}."),
        )),
        Err(_) => {
            let detail = "The upload stopped for too long. Nothing of the last file was stored; try again.";
            Err(bad(408, "too_slow", "The upload was too slow", detail.into()))
        }
    }
}

/// `POST /files/folder`
pub async fn make_folder(State(state): State<AppState>, Person(me): Person, Form(form): Form<Action>) -> Response {
    let done = state
        .control
        .make_folder(&me, form.environment, &form.path, &form.name)
        .await;
    back(form.environment, &form.path, done)
}

/// `POST /files/rename`
pub async fn rename(State(state): State<AppState>, Person(me): Person, Form(form): Form<Action>) -> Response {
    let done = state
        .control
        .rename_file(&me, form.environment, &form.path, &form.name)
        .await;
    back(form.environment, parent(&form.path), done)
}

/// `POST /files/delete`
pub async fn delete(State(state): State<AppState>, Person(me): Person, Form(form): Form<Action>) -> Response {
    let done = state.control.remove_file(&me, form.environment, &form.path).await;
    back(form.environment, parent(&form.path), done)
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Leads back to the folder. The address carries the code of a refusal, never a text.
fn back(environment: EnvironmentId, folder: &str, done: Result<(), Error>) -> Response {
    let folder = utf8_percent_encode(folder, NON_ALPHANUMERIC);
    let mut address = format!("/files?environment={environment}&path={folder}");
    if let Err(error) = done {
        let problem = Problem::from(error);
        if reason(&problem.code).is_none() {
            return Refused(problem).into_response();
        }
        address = format!("{address}&wrong={}", problem.code);
    }
    Redirect::to(&address).into_response()
}

/// The text for a code that an address may carry.
fn reason(code: &str) -> Option<&'static str> {
    Some(match code {
        "no_such_file" => "There is no such file. Somebody may have moved or deleted it.",
        "file_exists" => "Something with this name exists already. Choose another name.",
        "bad_file_name" => "A name has 1 to 255 bytes and no slash.",
        "folder_too_deep" => "This folder is nested too deeply. Delete the innermost folders first.",
        "file_too_large" => "The file does not fit into the limit of your files. Nothing of it was stored.",
        "disk_full" => "The server’s disk is full. Nothing was stored.",
        "files_off" => "An administrator has turned this off.",
        _ => return None,
    })
}

fn view(folder: control::Folder) -> files_page::Folder {
    let row = |entry: environments::Entry| Row {
        name: entry.name,
        is_exact: entry.is_exact,
        kind: match entry.kind {
            EntryKind::Folder => RowKind::Folder,
            EntryKind::File => RowKind::File,
            EntryKind::Other => RowKind::Other,
        },
        size: entry.size,
        modified: entry.modified,
    };
    files_page::Folder {
        environment: folder.environment.id,
        environments: folder
            .environments
            .iter()
            .map(|row| (row.id, row.name.to_string()))
            .collect(),
        path: folder.path.names().to_vec(),
        is_cut: folder.listing.is_cut,
        rows: folder.listing.entries.into_iter().map(row).collect(),
        size: folder.size.map(|size| (size.used, size.limit)),
        transfer: folder.transfer,
        restricted_by: folder
            .restricted_by
            .iter()
            .map(|session| (session.application.to_string(), session.permits))
            .collect(),
    }
}
