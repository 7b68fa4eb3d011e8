//! The reports of a sandbox: bwrap writes the number of its first process, `inside.sh` reports the
//! display, the end of the application and its prints, `xprop` the windows, and `wmctrl` their titles.
//!
//! All but the first line may come from the application, which can replace any program beside it.
//! So a report can only describe the session itself.

use session::{
    printing::Print,
    windows::{MOST, clean_title},
};

/// The longest line that is read: the list of [`MOST`] windows has some 800 bytes. The rest of a
/// longer line is ignored.
const LONGEST: usize = 1024;

/// A report of a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// The number of the process that is pid 1 inside, as seen from outside. When it is gone, the
    /// whole sandbox is gone.
    Init(i32),
    /// The server of sound is ready. It comes before `Ready`.
    Sound,
    /// The display is ready and the application runs.
    Ready,
    /// The windows that exist, at most [`MOST`].
    Windows(Vec<u32>),
    /// The window that has the keyboard.
    Active(u32),
    /// The title of a window.
    Title(u32, String),
    /// The first process of the application has ended.
    Exited(Exit),
    /// The printer has finished a job.
    Printed(Print),
}

/// The end of the first process of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    /// Its exit code; 128 and the signal's number if a signal ended it.
    pub code: u8,
    /// True if the application left other processes, or if that is unknown.
    pub left_others: bool,
}

/// The parser of the stream, which may arrive in any pieces. The first `Init` is written before any
/// program of the sandbox runs, so only that one counts.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    line: Vec<u8>,
    init_known: bool,
}

impl Readiness {
    /// Parses the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Report> {
        let mut reports = Vec::new();
        for &byte in bytes {
            if byte != b'\n' {
                if self.line.len() < LONGEST {
                    self.line.push(byte);
                }
                continue;
            }
            match understand(&self.line) {
                Some(Report::Init(_)) if self.init_known => {}
                Some(report) => {
                    self.init_known |= matches!(report, Report::Init(_));
                    reports.push(report);
                }
                None => {}
            }
            self.line.clear();
        }
        reports
    }
}

fn understand(line: &[u8]) -> Option<Report> {
    match line {
        b"ready" => return Some(Report::Ready),
        b"sound" => return Some(Report::Sound),
        _ => {}
    }
    let text = String::from_utf8_lossy(line);
    if let Some(ids) = text.strip_prefix("_NET_CLIENT_LIST: window id # ") {
        return Some(Report::Windows(ids.split(", ").filter_map(window).take(MOST).collect()));
    }
    if let Some(id) = text.strip_prefix("_NET_ACTIVE_WINDOW: window id # ") {
        return window(id).map(Report::Active);
    }
    if let Some(exit) = text.strip_prefix("exited ") {
        let (code, others) = exit.split_once(' ')?;
        let code = code.parse().ok()?;
        let left_others = others != "0";
        return Some(Report::Exited(Exit { code, left_others }));
    }
    if let Some(name) = text.strip_prefix("printed ") {
        return Print::of_name(name).map(Report::Printed);
    }
    if text == "not-printed" {
        return Some(Report::Printed(Print::Failed));
    }
    if text.starts_with("0x") {
        return title(&text);
    }
    let after = text.split_once("\"child-pid\":")?.1.trim_start();
    let digits = after
        .find(|c: char| !c.is_ascii_digit())
        .map_or(after, |end| &after[..end]);
    digits.parse().ok().filter(|pid| *pid > 1).map(Report::Init)
}

/// A line of `wmctrl -l`: the window, its desktop, its host, and its title, which may be missing.
fn title(line: &str) -> Option<Report> {
    let (id, rest) = line.split_once(' ')?;
    let (_desktop, rest) = rest.trim_start().split_once(' ')?;
    let title = rest.split_once(' ').map_or("", |(_host, title)| title);
    Some(Report::Title(window(id)?, clean_title(title)))
}

fn window(id: &str) -> Option<u32> {
    u32::from_str_radix(id.trim().strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "{ \"child-pid\": 7023, \"net-namespace\": 4026532183 }\nsound\nready\n\
        _NET_CLIENT_LIST:  not found.\n_NET_CLIENT_LIST: window id # \n\
        _NET_CLIENT_LIST: window id # 0x60000c, 0x80000c\n_NET_ACTIVE_WINDOW: window id # 0x80000c\n\
        0x0060000c  1 vm one two\n0x0080000c -1  N/A\n0x0080000d  0 vm \nprinted my notes.pdf\nnot-printed\nexited 0 1\n{ \"exit-code\": 0 }\n";

    #[test]
    fn lines_are_understood_however_they_arrive() {
        let exit = Exit {
            code: 0,
            left_others: true,
        };
        let expected = [
            Report::Init(7023),
            Report::Sound,
            Report::Ready,
            Report::Windows(Vec::new()),
            Report::Windows(vec![0x0060_000c, 0x0080_000c]),
            Report::Active(0x0080_000c),
            Report::Title(0x0060_000c, "one two".into()),
            Report::Title(0x0080_000c, "N/A".into()),
            Report::Title(0x0080_000d, String::new()),
            Report::Printed(Print::Done {
                name: "my notes.pdf".into(),
            }),
            Report::Printed(Print::Failed),
            Report::Exited(exit),
        ];
        for size in 1..=STREAM.len() {
            let mut readiness = Readiness::default();
            let chunks = STREAM.as_bytes().chunks(size);
            let reports: Vec<Report> = chunks.flat_map(|chunk| readiness.feed(chunk)).collect();
            assert_eq!(reports, expected, "in chunks of {size}");
        }
    }

    #[test]
    fn an_application_cannot_name_another_process_nor_fill_memory() {
        let mut readiness = Readiness::default();
        assert_eq!(
            readiness.feed(b"{ \"child-pid\": 20 }\n{ \"child-pid\": 21 }\n"),
            [Report::Init(20)]
        );
        assert_eq!(readiness.feed(&[b'x'; 100_000]), []);
        assert!(readiness.line.len() <= LONGEST);
        assert_eq!(readiness.feed(b"\nready\n"), [Report::Ready]);

        let many: Vec<String> = (1..5000).map(|id| format!("{id:#x}")).collect();
        let list = format!("_NET_CLIENT_LIST: window id # {}\n", many.join(", "));
        let reports = readiness.feed(list.as_bytes());
        assert!(
            matches!(&reports[..], [Report::Windows(ids)] if ids.len() == MOST),
            "{reports:?}"
        );
        let title = format!("0x1 0 vm {}\u{202e}\x1b[2J\n", "w".repeat(5000));
        let reports = readiness.feed(title.as_bytes());
        assert!(
            matches!(&reports[..], [Report::Title(1, title)] if title.len() <= 200),
            "{reports:?}"
        );
    }

    #[test]
    fn rubbish_says_nothing() {
        for line in [
            "",
            "readyy",
            "{ \"child-pid\": }",
            "{ \"child-pid\": 1 }",
            "{ \"child-pid\": 99999999999 }",
            "\u{1}",
            "0x",
            "0xfffffffff 0 vm title",
            "_NET_ACTIVE_WINDOW: window id # -1",
            "exited",
            "exited 256 0",
            "printed",
            "printed ",
            "printed ../.bashrc.pdf",
            "printed notes.txt",
            "printed \u{202e}fdp.sh.pdf",
            "not-printed x",
        ] {
            assert_eq!(Readiness::default().feed(format!("{line}\n").as_bytes()), [], "{line}");
        }
    }
}
