//! The page Files: the files of a person in a kept home. Plain forms without the browser bundle, so that
//! a person whose home is full can free space from any browser.

use leptos::prelude::*;
use session::{EnvironmentId, Timestamp, Transfer, format};

use crate::plain_page::{document, local_times, moment};

/// A folder, as the page shows it.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Environment that keeps it.
    pub environment: EnvironmentId,
    /// Environments that keep homes: id and name. One of them is the above.
    pub environments: Vec<(EnvironmentId, String)>,
    /// Names of the folders from the home to this one.
    pub path: Vec<String>,
    /// Files in it.
    pub rows: Vec<Row>,
    /// True if it has more files than are listed.
    pub is_cut: bool,
    /// Size of the home and its limit, in bytes.
    pub size: Option<(u64, u64)>,
    /// Permitted directions.
    pub transfer: Transfer,
    /// Applications that run and restrict the directions: name and permitted directions.
    pub restricted_by: Vec<(String, Transfer)>,
}

/// A file of a folder.
#[derive(Clone, Debug)]
pub struct Row {
    /// Name, readable.
    pub name: String,
    /// True if the name addresses the file.
    pub is_exact: bool,
    /// Kind of file.
    pub kind: RowKind,
    /// Bytes.
    pub size: u64,
    /// Time of the last change.
    pub modified: Timestamp,
}

/// The kind of a [`Row`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// Folder; opens on the same page.
    Folder,
    /// Regular file; can be downloaded.
    File,
    /// Link, pipe or the like.
    Other,
}

/// Renders the page; `wrong` is the reason why the last action failed.
pub fn page(folder: &Folder, wrong: Option<&str>) -> String {
    let wrong = wrong.map(|wrong| view! { <p class="reason" role="alert">{wrong.to_owned()}</p> });
    let size = folder.size.map(|(used, limit)| {
        let text = format!("Your files use {} of {}.", format::bytes(used), format::bytes(limit));
        view! { <p>{text}</p> }
    });
    let cut = folder
        .is_cut
        .then(|| view! { <p>"Only the first 10,000 files are shown."</p> });
    let others = (folder.environments.len() > 1).then(|| places(folder));
    let zip = (folder.transfer.allows_out() && !folder.rows.is_empty()).then(|| archive(folder));
    let upload = folder.transfer.allows_in().then(|| upload(folder));
    let restricted = folder.restricted_by.iter().map(|(application, permits)| {
        let off = match permits {
            Transfer::Both => return ().into_any(),
            Transfer::In => "downloads are off",
            Transfer::Out => "uploads are off",
            Transfer::Off => "uploads and downloads are off",
        };
        view! { <p>"While " {application.clone()} " runs, " {off} "."</p> }.into_any()
    });
    let restricted = restricted.collect_view();
    let body = view! {
        <main class="page files">
            <h1>"Files"</h1>
            {others}
            {crumbs(folder)}
            {wrong}
            {restricted}
            {upload}
            {new_folder(folder)}
            <div id="file-area">{size} {rows(folder)} {cut} {zip}</div>
            <p>
                <a href="/">"My apps"</a>
            </p>
        </main>
        {local_times()}
        <script type="module" src="/tab/files-page.js"></script>
    };
    document("Files", body)
}

/// The address of a folder.
fn address(environment: EnvironmentId, path: &[String]) -> String {
    format!("/files?environment={environment}&path={}", encoded(&path.join("/")))
}

/// A text for a query.
fn encoded(text: &str) -> String {
    let mut query = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => query.push(char::from(byte)),
            byte => query.push_str(&format!("%{byte:02X}")),
        }
    }
    query
}

/// The address of a file's content, or of a folder's archive.
fn download(environment: EnvironmentId, kind: &str, path: &str) -> String {
    format!("/files/{kind}?environment={environment}&path={}", encoded(path))
}

/// The link that downloads this folder with everything in it.
fn archive(folder: &Folder) -> impl IntoView {
    let href = download(folder.environment, "archive", &folder.path.join("/"));
    view! {
        <p>
            <a href=href download="">
                "Download this folder as a zip file"
            </a>
        </p>
    }
}

fn places(folder: &Folder) -> impl IntoView {
    let link = |(id, name): &(EnvironmentId, String)| {
        let current = (*id == folder.environment).then_some("page");
        view! {
            <li>
                <a href=address(*id, &[]) aria-current=current>
                    {name.clone()}
                </a>
            </li>
        }
    };
    view! {
        <nav aria-label="Environments">
            <ul class="crumbs">{folder.environments.iter().map(link).collect_view()}</ul>
        </nav>
    }
}

fn crumbs(folder: &Folder) -> impl IntoView {
    let link = |depth: usize| {
        let name = depth.checked_sub(1).map_or("Home", |at| &folder.path[at]);
        let current = (depth == folder.path.len()).then_some("page");
        view! {
            <li>
                <a href=address(folder.environment, &folder.path[..depth]) aria-current=current>
                    <bdi>{name.to_owned()}</bdi>
                </a>
            </li>
        }
    };
    view! {
        <nav aria-label="Folder">
            <ol class="crumbs">{(0..=folder.path.len()).map(link).collect_view()}</ol>
        </nav>
    }
}

/// The fields that name a folder or a file. They are first, because uploads are read in order.
fn place(environment: EnvironmentId, path: String) -> impl IntoView {
    view! {
        <input type="hidden" name="environment" value=environment.to_string() />
        <input type="hidden" name="path" value=path />
    }
}

fn upload(folder: &Folder) -> impl IntoView {
    view! {
        <form id="upload-form" method="post" action="/files/upload" enctype="multipart/form-data" class="fields">
            {place(folder.environment, folder.path.join("/"))}
            <label for="upload">"Upload files"</label>
            <input id="upload" name="file" type="file" multiple required />
            <button type="submit">"Upload"</button>
            <p id="drop-hint" class="note" hidden>"Or drop files on this page."</p>
        </form>
        <p id="upload-status" role="status"></p>
        <ul id="uploads" class="uploads" aria-label="Uploads"></ul>
    }
}

fn new_folder(folder: &Folder) -> impl IntoView {
    view! {
        <details>
            <summary>"New folder"</summary>
            <form method="post" action="/files/folder" class="fields">
                {place(folder.environment, folder.path.join("/"))}
                <label for="new-folder">"Name"</label>
                <input id="new-folder" name="name" maxlength="255" autocomplete="off" required />
                <button type="submit">"Make folder"</button>
            </form>
        </details>
    }
}

fn rows(folder: &Folder) -> AnyView {
    if folder.rows.is_empty() {
        return view! { <p>"This folder is empty."</p> }.into_any();
    }
    let all = folder
        .rows
        .iter()
        .enumerate()
        .map(|(at, row)| row_view(folder, at, row))
        .collect_view();
    view! { <ul class="file-list" aria-label="Files">{all}</ul> }.into_any()
}

fn row_view(folder: &Folder, at: usize, row: &Row) -> impl IntoView {
    let mut path = folder.path.clone();
    path.push(row.name.clone());
    let name = view! { <bdi>{row.name.clone()}</bdi> };
    let file = path.join("/");
    let title = match row.kind {
        RowKind::Folder if row.is_exact => {
            view! { <a href=address(folder.environment, &path)>{name} "/"</a> }.into_any()
        }
        RowKind::File if row.is_exact && folder.transfer.allows_out() => {
            let href = download(folder.environment, "download", &file);
            view! { <a href=href download="">{name}</a> }.into_any()
        }
        RowKind::Other => view! { {name} " (a link or device, which can’t be downloaded)" }.into_any(),
        _ => name.into_any(),
    };
    let size = (row.kind == RowKind::File).then(|| format!("{}, ", format::bytes(row.size)));
    let actions = row.is_exact.then(|| actions(folder.environment, at, row, &file));
    view! {
        <li>
            <p>{title}</p>
            <p class="note">{size} "changed " {moment(row.modified)}</p>
            {actions}
        </li>
    }
}

fn actions(environment: EnvironmentId, at: usize, row: &Row, path: &str) -> impl IntoView {
    let field = format!("name-{at}");
    let consequence = match row.kind {
        RowKind::Folder => "Everything in it is deleted as well. There is no undo.",
        _ => "There is no undo.",
    };
    let (name, path) = (row.name.clone(), path.to_owned());
    view! {
        <details>
            <summary aria-label=format!("Rename or delete {name}")>"Rename or delete"</summary>
            <form method="post" action="/files/rename" class="fields">
                {place(environment, path.clone())}
                <label for=field.clone()>"New name"</label>
                <input id=field name="name" value=name.clone() maxlength="255" autocomplete="off" required />
                <button type="submit">"Rename"</button>
            </form>
            <form method="post" action="/files/delete" class="fields">
                {place(environment, path)}
                <p>{consequence}</p>
                <button type="submit" class="danger" aria-label=format!("Delete {name}")>
                    "Delete"
                </button>
            </form>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(transfer: Transfer) -> Folder {
        let row = |name: &str, kind| Row {
            name: name.into(),
            is_exact: true,
            kind,
            size: 1536,
            modified: Timestamp::default(),
        };
        Folder {
            environment: EnvironmentId::numbered(1),
            environments: vec![(EnvironmentId::numbered(1), "This host".into())],
            path: vec!["a&b".into()],
            rows: vec![
                row("<script>", RowKind::Folder),
                row("100% \"x\".txt", RowKind::File),
                row("link", RowKind::Other),
            ],
            is_cut: false,
            size: Some((1 << 30, 2 << 30)),
            transfer,
            restricted_by: vec![("Exam".into(), Transfer::Off)],
        }
    }

    #[test]
    fn names_are_text_and_addresses_are_encoded() {
        let page = page(&folder(Transfer::Both), Some("a < b"));
        assert!(!page.contains("<script>") && page.contains("a &lt; b"), "{page}");
        assert!(page.contains("path=a%26b%2F100%25%20%22x%22.txt"), "{page}");
        assert!(page.contains("Your files use 1 GiB of 2 GiB."), "{page}");
        assert!(page.contains("multipart/form-data"), "{page}");
        assert!(page.contains("uploads and downloads are off"), "{page}");
    }

    #[test]
    fn a_forbidden_direction_is_not_offered() {
        let into = page(&folder(Transfer::In), None);
        assert!(
            into.contains("/files/upload") && !into.contains("/files/download"),
            "{into}"
        );
        let off = page(&folder(Transfer::Off), None);
        assert!(
            !off.contains("/files/upload") && !off.contains("/files/download"),
            "{off}"
        );
        assert!(off.contains("/files/delete"), "a full home can be emptied");
    }
}
