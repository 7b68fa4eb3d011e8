//! Compresses the files of the site with brotli once, instead of at every request.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use brotli::enc::BrotliEncoderParams;

use super::inputs::collect;

/// The kinds of files to compress. Images and fonts are compressed already.
const COMPRESSIBLE: [&str; 9] = ["css", "html", "ico", "js", "json", "svg", "txt", "wasm", "webmanifest"];

/// Writes `name.br` beside each compressible file below `site`. The quality is from 0 (fast) to 11 (small).
pub fn all(site: &Path, quality: i32) -> Result<()> {
    let mut files = BTreeSet::new();
    collect(site, &mut files)?;
    let mut files: Vec<PathBuf> = files.into_iter().filter(|file| is_compressible(file)).collect();
    // The largest first, so that the other cores compress the small ones at the same time.
    files.sort_by_key(|file| std::cmp::Reverse(fs::metadata(file).map_or(0, |metadata| metadata.len())));

    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            one(file, quality).with_context(|| format!("could not compress {}", file.display()))?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}

fn one(file: &Path, quality: i32) -> Result<()> {
    let content = fs::read(file)?;
    let mut small = Vec::with_capacity(content.len() / 3);
    let parameters = BrotliEncoderParams {
        quality,
        size_hint: content.len(),
        ..Default::default()
    };
    brotli::BrotliCompress(&mut content.as_slice(), &mut small, &parameters)?;
    if small.len() < content.len() {
        fs::write(brotli_name(file), small)?;
    }
    Ok(())
}

fn is_compressible(file: &Path) -> bool {
    file.extension()
        .is_some_and(|kind| COMPRESSIBLE.iter().any(|known| kind == *known))
}

/// The name of the compressed copy of a file.
pub fn brotli_name(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".br");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressible_files_get_a_smaller_copy_and_others_do_not() {
        let site = tempfile::tempdir().unwrap();
        let text = "the same words again and again, ".repeat(100);
        fs::write(site.path().join("a.js"), &text).unwrap();
        fs::write(site.path().join("a.png"), &text).unwrap();
        fs::write(site.path().join("tiny.css"), "a").unwrap();
        all(site.path(), 5).unwrap();

        let mut restored = Vec::new();
        let small = fs::read(site.path().join("a.js.br")).unwrap();
        brotli::BrotliDecompress(&mut small.as_slice(), &mut restored).unwrap();
        assert_eq!(restored, text.as_bytes());
        assert!(!site.path().join("a.png.br").exists());
        assert!(
            !site.path().join("tiny.css.br").exists(),
            "a file that brotli makes larger gets no copy"
        );
    }
}
