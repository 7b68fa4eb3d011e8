//! The reports of a starting sandbox: bwrap writes the number of its first process, `inside.sh`
//! reports that the display is ready.

/// The longest line that is read. bwrap's line has some 250 bytes; output of an application is
/// ignored.
const LONGEST: usize = 1024;

/// A report of a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// The number of the process that is pid 1 inside, as seen from outside. When it is gone, the
    /// whole sandbox is gone.
    Init(i32),
    /// The display is ready and the application runs.
    Ready,
}

/// The parser of the stream, which may arrive in any pieces. Only the first line is trusted,
/// because it is written before any program of the sandbox runs: only the first `Init` counts.
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
    if line == b"ready" {
        return Some(Report::Ready);
    }
    let text = std::str::from_utf8(line).ok()?;
    let after = text.split_once("\"child-pid\":")?.1.trim_start();
    let digits = after
        .find(|c: char| !c.is_ascii_digit())
        .map_or(after, |end| &after[..end]);
    digits.parse().ok().filter(|pid| *pid > 1).map(Report::Init)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b"{ \"child-pid\": 7023, \"net-namespace\": 4026532183 }\nready\n{ \"exit-code\": 0 }\n";

    #[test]
    fn lines_are_understood_however_they_arrive() {
        for size in 1..=STREAM.len() {
            let mut readiness = Readiness::default();
            let reports: Vec<Report> = STREAM.chunks(size).flat_map(|chunk| readiness.feed(chunk)).collect();
            assert_eq!(reports, [Report::Init(7023), Report::Ready], "in chunks of {size}");
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
        ] {
            assert_eq!(Readiness::default().feed(format!("{line}\n").as_bytes()), [], "{line}");
        }
    }
}
