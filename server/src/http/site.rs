//! Serves the browser half: the files that `cargo xtask site` builds.

use std::{path::PathBuf, sync::Arc};

use anyhow::bail;
use axum::{
    Router,
    http::{HeaderValue, header},
};
use leptos::config::LeptosOptions;
use tower_http::{services::ServeDir, set_header::SetResponseHeaderLayer};

use crate::settings::{Development, Settings};

/// The folder of the files.
pub struct Site {
    root: PathBuf,
    /// Port on which a build tool signals pages to reload; `None` in production.
    pub reload_port: Option<u32>,
}

impl Site {
    /// Finds the folder: the setting, else the folder of a build tool, else `site` beside the
    /// program's folder, which is the output of the build.
    pub fn find(settings: &Settings) -> anyhow::Result<Self> {
        let beside = || {
            let program = std::env::current_exe().ok()?;
            Some(program.parent()?.parent()?.join("site"))
        };
        let Development { site_root, reload_port } = Development::read();
        let root = settings
            .site_dir
            .clone()
            .or(site_root)
            .or_else(beside)
            .unwrap_or_else(|| "site".into());
        if !root.join("hash.txt").is_file() {
            bail!(
                "the browser half is missing in {}; “make run” builds it",
                root.display()
            );
        }
        Ok(Self { root, reload_port })
    }

    /// The options from which Leptos makes the URLs of the files in its pages.
    pub fn options(&self, settings: &Settings) -> LeptosOptions {
        LeptosOptions::builder()
            .output_name("cloud-delivery")
            .site_root(self.root.display().to_string())
            .site_pkg_dir("pkg")
            .site_addr(settings.addr)
            .reload_port(self.reload_port.unwrap_or(3001))
            .hash_files(true)
            .hash_file(Arc::from(self.root.join("hash.txt").display().to_string()))
            .build()
    }

    /// The routes of the files. Names in `pkg` contain a hash of the content, so these files never
    /// change.
    pub fn files<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let folder = |name: &str, cache: &'static str| {
            // For a folder, this would redirect to its path with a slash. That path can begin with
            // “//”, which means another host.
            let files = ServeDir::new(self.root.join(name))
                .append_index_html_on_directories(false)
                .precompressed_br();
            let header = SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static(cache));
            (format!("/{name}"), Router::new().fallback_service(files).layer(header))
        };
        let mut router = Router::new();
        for (path, files) in [
            folder("pkg", "public, max-age=31536000, immutable"),
            folder("novnc", "no-cache"),
            folder("tus", "no-cache"),
            folder("tab", "no-cache"),
            folder("icons", "no-cache"),
        ] {
            router = router.nest(&path, files);
        }
        for file in ["favicon.svg", "robots.txt"] {
            router = router.route_service(
                &format!("/{file}"),
                tower_http::services::ServeFile::new(self.root.join(file)),
            );
        }
        router
    }
}
