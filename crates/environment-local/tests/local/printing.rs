//! The printer of sessions. Needs the packages for printing of set-up, and pdfinfo, which
//! they depend on.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use environments::{Environment, FilesError, HomePath, Signal, StartSpec};
use session::printing::Print;
use tokio::{io::AsyncReadExt, time::timeout};

use crate::kit::{Trial, spec};

/// Waits for the socket of the printer, then prints with the usual command of UNIX.
const READY: &str = "until [ -S \"$CUPS_SERVER\" ]; do sleep 0.05; done";

fn session(script: &str) -> StartSpec {
    spec(&["sh", "-c", &format!("{READY}; {script}; exec sleep 1000")])
}

/// Runs a script in a session, and returns the ends of this many jobs.
async fn prints(trial: &mut Trial, script: &str, many: usize) -> (StartSpec, Vec<Print>) {
    let spec = session(script);
    let mut ends = Vec::new();
    trial.environment.start(spec.clone()).await.unwrap();
    let mut prints = trial.environment.prints(spec.session_id).unwrap();
    while ends.len() < many {
        timeout(Duration::from_secs(30), prints.changed())
            .await
            .unwrap()
            .unwrap();
        ends.extend(prints.borrow_and_update().clone());
    }
    (spec, ends)
}

fn done(name: &str) -> Print {
    Print::Done { name: name.to_owned() }
}

/// The content of a file in the home of a session.
async fn content(trial: &Trial, spec: &StartSpec, path: &str) -> Result<Vec<u8>, FilesError> {
    let path = HomePath::parse(path).unwrap();
    let mut reading = trial.environment.session_file(spec.session_id, &path).await?;
    let mut bytes = Vec::new();
    reading.content.read_to_end(&mut bytes).await.unwrap();
    assert_eq!(bytes.len() as u64, reading.size);
    Ok(bytes)
}

#[tokio::test]
async fn a_printed_text_is_a_pdf_in_the_home() {
    let mut trial = Trial::new();
    let (spec, ends) = prints(&mut trial, "seq 200 >notes.txt; lp notes.txt", 1).await;
    assert_eq!(ends, [done("notes.txt.pdf")]);
    let pdf = content(&trial, &spec, "Printed/notes.txt.pdf").await.unwrap();
    let file = trial.folder.path().join("print.pdf");
    fs::write(&file, pdf).unwrap();
    let output = Command::new("pdfinfo").arg(file).output().unwrap();
    let facts = String::from_utf8(output.stdout).unwrap();
    let fact = |name: &str| facts.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    assert_eq!(fact("Pages:"), Some("3"), "200 lines");
    assert_eq!(fact("Page size:"), Some("595 x 842 pts (A4)"));
}

#[tokio::test]
async fn a_title_becomes_the_name_of_a_new_file() {
    for (title, name) in [
        ("My report.pdf", "My report.pdf"),
        ("Old", "Old (2).pdf"),
        ("../../.bashrc", "_.._.bashrc.pdf"),
        ("a\u{202e}fdp.exe", "afdp.exe.pdf"),
        ("...", "Print.pdf"),
        ("שלום 👩\u{200d}🔬", "שלום 👩🔬.pdf"),
    ] {
        let mut trial = Trial::new();
        let script = format!("mkdir Printed; echo old >Printed/Old.pdf; echo x | lp -t '{title}'");
        let (spec, ends) = prints(&mut trial, &script, 1).await;
        assert_eq!(ends, [done(name)], "{title}");
        let pdf = content(&trial, &spec, &format!("Printed/{name}")).await.unwrap();
        assert!(pdf.starts_with(b"%PDF-"), "{name}");
        assert_eq!(content(&trial, &spec, "Printed/Old.pdf").await.unwrap(), b"old\n");
    }
}

#[tokio::test]
async fn a_print_that_cannot_be_stored_is_reported() {
    let mut trial = Trial::new();
    let (_, ends) = prints(&mut trial, "touch Printed; echo x | lp", 1).await;
    assert_eq!(ends, [Print::Failed]);
}

#[tokio::test]
async fn an_application_cannot_make_the_server_read_anything_but_files_of_its_home() {
    let mut trial = Trial::new();
    let script = "mkdir Printed; echo secret >/tmp/outside; ln -s /tmp/outside Printed/link.pdf; ln -s /etc/passwd Printed/host.pdf; \
        mkfifo Printed/pipe.pdf; mkdir Printed/folder.pdf; ln -s /etc Etc; \
        echo 'printed ../../etc/passwd.pdf' 1<>/tmp/.cups/done; echo 'printed link.pdf' 1<>/tmp/.cups/done";
    let (spec, ends) = prints(&mut trial, script, 1).await;
    assert_eq!(ends, [done("link.pdf")], "the first line is no name");
    for name in ["Printed/link.pdf", "Printed/host.pdf", "Etc/passwd", "Printed/none.pdf"] {
        assert_eq!(content(&trial, &spec, name).await, Err(FilesError::NotFound), "{name}");
    }
    for name in ["Printed/pipe.pdf", "Printed/folder.pdf"] {
        assert_eq!(content(&trial, &spec, name).await, Err(FilesError::NotAFile), "{name}");
    }
    trial.environment.stop(spec.session_id).await.unwrap();
    let gone = content(&trial, &spec, "Printed/pipe.pdf").await;
    assert_eq!(gone, Err(FilesError::NotFound));
}

#[tokio::test]
async fn the_printer_keeps_no_session_alive() {
    let mut trial = Trial::new();
    let spec = spec(&["sh", "-c", &format!("{READY}; exit 7")]);
    trial.environment.start(spec.clone()).await.unwrap();
    assert_eq!(trial.lost(spec.session_id).await, "the application ended with status 7");
    trial.leaves_nothing(spec.session_id);
    let spec = self::session("exit 0");
    trial.environment.start(spec.clone()).await.unwrap();
    let id = spec.session_id;
    assert_eq!(trial.next_signal().await, Signal::Ready(id));
    let ready = Instant::now();
    assert_eq!(trial.next_signal().await, Signal::Closed(id));
    // An application that has left processes behind has 10 s to show a window.
    assert!(ready.elapsed() < Duration::from_secs(9), "{:?}", ready.elapsed());
}
