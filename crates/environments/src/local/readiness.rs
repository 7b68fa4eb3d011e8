//! What a starting sandbox tells: bwrap writes where its first process is, `inside.sh` writes that the display is up.

/// Longest line that is kept. bwrap's is some 250 bytes; what an application might write here is of no interest.
const LONGEST: usize = 1024;

/// Something a sandbox told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The process that is pid 1 inside, by its number out here. When it is gone, all is gone.
    Init(i32),
    /// The display is up and the application runs.
    Ready,
}

/// Cuts the stream into lines; digits and newline may come apart. Trusts nothing after the first line, which is
/// written before any program of the sandbox runs, to be short or to be true: only the first `Init` counts.
#[derive(Debug, Default)]
pub(super) struct Readiness {
    line: Vec<u8>,
    init_known: bool,
}

impl Readiness {
    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Told> {
        let mut told = Vec::new();
        for &byte in bytes {
            if byte != b'\n' {
                if self.line.len() < LONGEST {
                    self.line.push(byte);
                }
                continue;
            }
            match understand(&self.line) {
                Some(Told::Init(_)) if self.init_known => {}
                Some(news) => {
                    self.init_known |= matches!(news, Told::Init(_));
                    told.push(news);
                }
                None => {}
            }
            self.line.clear();
        }
        told
    }
}

fn understand(line: &[u8]) -> Option<Told> {
    if line == b"ready" {
        return Some(Told::Ready);
    }
    let text = std::str::from_utf8(line).ok()?;
    let after = text.split_once("\"child-pid\":")?.1.trim_start();
    let digits = after
        .find(|c: char| !c.is_ascii_digit())
        .map_or(after, |end| &after[..end]);
    digits.parse().ok().filter(|pid| *pid > 1).map(Told::Init)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b"{ \"child-pid\": 7023, \"net-namespace\": 4026532183 }\nready\n{ \"exit-code\": 0 }\n";

    #[test]
    fn lines_are_understood_however_they_arrive() {
        for size in 1..=STREAM.len() {
            let mut readiness = Readiness::default();
            let told: Vec<Told> = STREAM.chunks(size).flat_map(|chunk| readiness.feed(chunk)).collect();
            assert_eq!(told, [Told::Init(7023), Told::Ready], "in chunks of {size}");
        }
    }

    #[test]
    fn an_application_cannot_name_another_process_nor_fill_memory() {
        let mut readiness = Readiness::default();
        assert_eq!(
            readiness.feed(b"{ \"child-pid\": 20 }\n{ \"child-pid\": 21 }\n"),
            [Told::Init(20)]
        );
        assert_eq!(readiness.feed(&[b'x'; 100_000]), []);
        assert!(readiness.line.len() <= LONGEST);
        assert_eq!(readiness.feed(b"\nready\n"), [Told::Ready]);
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
