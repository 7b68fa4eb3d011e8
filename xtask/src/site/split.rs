//! Splits the linked browser half into the main module and the pieces of `app/src/pages/lazy.rs`.
//!
//! `wasm_split_cli_support` moves the code and data that only the functions with `#[wasm_split]` reach into modules of
//! their own, and writes the JavaScript that loads these modules.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use wasm_split_cli_support::{Options, transform};

use super::{NAME, short_hash};

/// The JavaScript that loads the pieces. Leptos preloads it under this name.
const LOADER: &str = "./__wasm_split.js";
/// The main module in the target directory.
const MAIN: &str = "frontend-main.wasm";

/// The outcome of a split.
pub struct Split {
    /// The main module, to be processed by wasm-bindgen.
    pub main: PathBuf,
    /// For each piece, the names of its modules without the extension. Pieces share modules.
    pub pieces: BTreeMap<String, Vec<String>>,
}

/// Splits the module `linked`, which must have its relocations. Writes the pieces and their loader to `pkg`.
pub fn split(linked: &Path, target: &Path, pkg: &Path) -> Result<Split> {
    let module = fs::read(linked).with_context(|| format!("could not read {}", linked.display()))?;
    let main = target.join(MAIN);
    let name = format!("./{NAME}.js");
    let mut options = Options::new(&module);
    options.output_dir = pkg;
    options.main_out_path = &main;
    options.link_name = LOADER;
    options.main_module = &name;
    let done = transform(options).map_err(|error| anyhow!("could not split the browser half: {error:#}"))?;
    Ok(Split {
        main,
        pieces: done.prefetch_map.into_iter().collect(),
    })
}

/// Adds one hash of all files in `pkg` to each of their names and to the names in the JavaScript, and writes the list of
/// pieces that leptos reads. The main module and its pieces import each other, so no file can have a hash of its own.
pub fn name_by_hash(pkg: &Path, pieces: &BTreeMap<String, Vec<String>>) -> Result<String> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(pkg)? {
        let entry = entry?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|name| anyhow!("a name that is not UTF-8: {name:?}"))?;
        files.insert(name, fs::read(entry.path())?);
    }
    let hash = short_hash(files.values());
    for (name, content) in &files {
        fs::remove_file(pkg.join(name))?;
        let content = match String::from_utf8(content.clone()) {
            Ok(text) if name.ends_with(".js") => with_hashes(text, files.keys(), &hash).into_bytes(),
            _ => content.clone(),
        };
        fs::write(pkg.join(with_hash(name, &hash)), content)?;
    }
    let pieces: BTreeMap<_, Vec<_>> = pieces
        .iter()
        .map(|(piece, modules)| (piece, modules.iter().map(|name| format!("{name}.{hash}")).collect()))
        .collect();
    let manifest = pkg.join(format!("__wasm_split_manifest.{hash}.json"));
    fs::write(manifest, serde_json::to_string(&pieces)?)?;
    Ok(hash)
}

/// The text with a hash in each name of a file that it imports or fetches. The object with the imports of the main
/// module keeps the name that is in the module.
fn with_hashes<'a>(text: String, names: impl Iterator<Item = &'a String>, hash: &str) -> String {
    names.fold(text, |text, name| {
        ["from ", "new URL("].into_iter().fold(text, |text, before| {
            let hashed = with_hash(name, hash);
            text.replace(&format!("{before}\"./{name}\""), &format!("{before}\"./{hashed}\""))
        })
    })
}

/// `name.js` becomes `name.<hash>.js`.
fn with_hash(name: &str, hash: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, kind)) => format!("{stem}.{hash}.{kind}"),
        None => format!("{name}.{hash}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_gets_the_hash_and_every_import_names_it() {
        let site = tempfile::tempdir().unwrap();
        let pkg = site.path();
        fs::write(pkg.join("cloud-delivery.wasm"), "main").unwrap();
        fs::write(pkg.join("split_sessions.wasm"), [0xff, 0]).unwrap();
        fs::write(
            pkg.join("cloud-delivery.js"),
            "import * as a from \"./__wasm_split.js\"; \"./__wasm_split.js\": a",
        )
        .unwrap();
        fs::write(
            pkg.join("__wasm_split.js"),
            "fetch(new URL(\"./split_sessions.wasm\", import.meta.url))",
        )
        .unwrap();
        let pieces = BTreeMap::from([("sessions".to_owned(), vec!["split_sessions".to_owned()])]);

        let hash = name_by_hash(pkg, &pieces).unwrap();
        let read = |name: &str| fs::read_to_string(pkg.join(name)).unwrap();
        assert_eq!(
            read(&format!("cloud-delivery.{hash}.js")),
            format!("import * as a from \"./__wasm_split.{hash}.js\"; \"./__wasm_split.js\": a")
        );
        assert_eq!(
            read(&format!("__wasm_split.{hash}.js")),
            format!("fetch(new URL(\"./split_sessions.{hash}.wasm\", import.meta.url))")
        );
        assert_eq!(
            fs::read(pkg.join(format!("split_sessions.{hash}.wasm"))).unwrap(),
            [0xff, 0]
        );
        assert_eq!(
            read(&format!("__wasm_split_manifest.{hash}.json")),
            format!("{{\"sessions\":[\"split_sessions.{hash}\"]}}")
        );
        assert_eq!(
            fs::read_dir(pkg).unwrap().count(),
            5,
            "the names without a hash are gone"
        );
    }

    #[test]
    fn one_changed_file_changes_the_hash_of_all() {
        let hash = |content: &str| {
            let site = tempfile::tempdir().unwrap();
            fs::write(site.path().join("a.js"), "same").unwrap();
            fs::write(site.path().join("b.wasm"), content).unwrap();
            name_by_hash(site.path(), &BTreeMap::new()).unwrap()
        };
        assert_eq!(hash("1"), hash("1"));
        assert_ne!(hash("1"), hash("2"));
    }
}
