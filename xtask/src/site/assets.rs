//! The parts of the site that are not compiled: the style sheet, noVNC, the upload client, and `public/`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::{NAME, short_hash};

/// Joins the style sheets that `style/main.css` imports into one file in `pkg`, and returns its hash.
pub fn css(root: &Path, site: &Path) -> Result<String> {
    let style = root.join("style");
    let main = read(&style.join("main.css"))?;
    let css = inline_imports(&main, |name| read(&style.join(name)))?;
    let css = css.into_bytes();
    let hash = short_hash([&css]);
    fs::write(site.join("pkg").join(format!("{NAME}.{hash}.css")), css)?;
    Ok(hash)
}

/// Copies `public/` to the site.
pub fn copy_public(root: &Path, site: &Path) -> Result<()> {
    let public = root.join("public");
    if public.is_dir() {
        copy_folder(&public, site)
    } else {
        Ok(())
    }
}

/// Copies noVNC's modules. Browsers load these ES modules without a bundler.
pub fn copy_novnc(root: &Path, site: &Path) -> Result<()> {
    let package = root.join("node_modules/@novnc/novnc");
    for folder in ["core", "vendor"] {
        copy_folder(&package.join(folder), &site.join("novnc").join(folder))
            .context("noVNC comes with the npm packages: run scripts/setup")?;
    }
    Ok(())
}

/// Copies the client for uploads that go on after a lost connection: one classic script, which defines
/// the global `tus`.
pub fn copy_tus(root: &Path, site: &Path) -> Result<()> {
    let script = root.join("node_modules/tus-js-client/dist/tus.min.js");
    fs::create_dir_all(site.join("tus"))?;
    fs::copy(script, site.join("tus/tus.min.js"))
        .map(drop)
        .context("the upload client comes with the npm packages: run scripts/setup")
}

/// Replaces each line `@import "name.css";` by the text of that sheet. Other forms of `@import` are errors.
fn inline_imports(main: &str, read: impl Fn(&str) -> Result<String>) -> Result<String> {
    let mut css = String::new();
    for line in main.lines() {
        let Some(import) = line.trim().strip_prefix("@import") else {
            css.push_str(line);
            css.push('\n');
            continue;
        };
        let name = import
            .trim()
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix("\";"));
        let Some(name) = name else {
            bail!("style/main.css: only lines like `@import \"name.css\";` are supported, not `{line}`");
        };
        let sheet = read(name)?;
        if sheet.contains("@import") {
            bail!("style/{name}: only style/main.css may import other sheets");
        }
        css.push_str(sheet.trim_end());
        css.push('\n');
    }
    Ok(css)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("could not list {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_joined_in_order_and_other_lines_stay() {
        let main = "/* order matters */\n@import \"tokens.css\";\n  @import \"table.css\";\n";
        let css = inline_imports(main, |name| Ok(format!(".{name} {{}}\n\n"))).unwrap();
        assert_eq!(css, "/* order matters */\n.tokens.css {}\n.table.css {}\n");
    }

    #[test]
    fn other_imports_are_refused() {
        for line in ["@import url(a.css);", "@import \"a.css\" print;", "@import 'a.css';"] {
            assert!(inline_imports(line, |_| Ok(String::new())).is_err(), "{line}");
        }
        assert!(inline_imports("@import \"a.css\";", |_| Ok("@import \"b.css\";".into())).is_err());
    }
}
