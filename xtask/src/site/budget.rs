//! The sizes of the browser half by piece, and their limits.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::{NAME, compress::brotli_name};

/// The name of the part that every page loads: the main module and both files of JavaScript.
const MAIN: &str = "main";

/// The most kilobytes in brotli that a page loads for a piece, in addition to the main part. About 5 % more than the sizes
/// at the time of writing. To raise one, say in the commit what the page does with it.
const BUDGETS: [(&str, u64); 5] = [
    (MAIN, 316),
    ("applications", 103),
    ("audit", 97),
    ("environments", 66),
    ("sessions", 209),
];

/// The size of each piece in bytes, in brotli.
pub fn sizes(site: &Path, hash: &str, pieces: &BTreeMap<String, Vec<String>>) -> Result<BTreeMap<String, u64>> {
    let size = |file: String| -> Result<u64> {
        let path = site.join("pkg").join(&file);
        let small = fs::metadata(brotli_name(&path)).or_else(|_| fs::metadata(&path));
        Ok(small
            .with_context(|| format!("could not read the size of {file}"))?
            .len())
    };
    let main = [
        format!("{NAME}.{hash}.wasm"),
        format!("{NAME}.{hash}.js"),
        format!("__wasm_split.{hash}.js"),
    ];
    let mut sizes = BTreeMap::from([(MAIN.to_owned(), main.into_iter().map(size).sum::<Result<u64>>()?)]);
    for (piece, files) in pieces {
        let files = files.iter().map(|file| size(format!("{file}.{hash}.wasm")));
        sizes.insert(piece.clone(), files.sum::<Result<u64>>()?);
    }
    Ok(sizes)
}

/// One line with all sizes.
pub fn report(sizes: &BTreeMap<String, u64>) -> String {
    let parts = sizes
        .iter()
        .map(|(piece, bytes)| format!("{piece} {} kB", bytes.div_ceil(1000)));
    format!("site, in brotli: {}", parts.collect::<Vec<_>>().join(", "))
}

/// Fails for a piece that is larger than its budget, or has none.
pub fn check(sizes: &BTreeMap<String, u64>) -> Result<()> {
    for (piece, bytes) in sizes {
        let Some((_, budget)) = BUDGETS.iter().find(|(name, _)| name == piece) else {
            bail!("the piece `{piece}` of the browser half has no budget in {}", file!());
        };
        if *bytes > budget * 1000 {
            let size = bytes.div_ceil(1000);
            bail!("the piece `{piece}` of the browser half has {size} kB in brotli, over its budget of {budget} kB");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn main_of(bytes: u64) -> BTreeMap<String, u64> {
        BTreeMap::from([(MAIN.to_owned(), bytes)])
    }

    #[test]
    fn a_piece_over_its_budget_fails_and_one_at_its_budget_passes() {
        let budget = BUDGETS[0].1 * 1000;
        check(&main_of(budget)).unwrap();
        let error = check(&main_of(budget + 1)).unwrap_err().to_string();
        assert!(error.contains("`main`") && error.contains("over its budget"), "{error}");
    }

    #[test]
    fn a_piece_without_a_budget_fails() {
        let error = check(&BTreeMap::from([("unknown".to_owned(), 1)])).unwrap_err();
        assert!(error.to_string().contains("`unknown`"), "{error}");
    }

    #[test]
    fn the_size_of_a_piece_is_the_sum_of_its_compressed_files() {
        let site = tempfile::tempdir().unwrap();
        let pkg = site.path().join("pkg");
        fs::create_dir(&pkg).unwrap();
        for (name, bytes) in [
            ("cloud-delivery.h.wasm", 9),
            ("cloud-delivery.h.wasm.br", 5),
            ("cloud-delivery.h.js", 2),
            ("__wasm_split.h.js", 1),
            ("chunk_1.h.wasm", 30),
            ("split_sessions.h.wasm.br", 70),
        ] {
            fs::write(pkg.join(name), vec![0; bytes]).unwrap();
        }
        let pieces = BTreeMap::from([(
            "sessions".to_owned(),
            vec!["chunk_1".to_owned(), "split_sessions".to_owned()],
        )]);
        let sizes = sizes(site.path(), "h", &pieces).unwrap();
        assert_eq!(
            sizes,
            BTreeMap::from([(MAIN.to_owned(), 8), ("sessions".to_owned(), 100)])
        );
        assert_eq!(report(&sizes), "site, in brotli: main 1 kB, sessions 1 kB");
    }
}
