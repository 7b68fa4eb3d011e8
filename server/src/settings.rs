//! Settings: a TOML file, overridden by `CLOUD_DELIVERY_*` variables. The table in
//! docs/settings.md documents both, and the test `every_setting_is_documented` compares them. An
//! unknown key is an error that names its line.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Error, Result, anyhow, bail};
use serde::Deserialize;
use session::ONLY_NODE;
use url::{Host, Url};

use crate::{
    clock::Time,
    http::client_address::{ProxyHeader, TrustedProxies},
};

/// The file that is read if no other is given. It need not exist.
const DEFAULT_FILE: &str = "cloud-delivery.toml";
const PREFIX: &str = "CLOUD_DELIVERY_";

/// All settings. A field's name is its key in the file. The variable has that name in upper case
/// after `CLOUD_DELIVERY_`.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Address and port to listen on.
    pub addr: SocketAddr,
    /// Folder of the data that must survive.
    pub data_dir: PathBuf,
    /// Folder of people's kept homes; `None`: `homes` in the data directory.
    pub homes_dir: Option<PathBuf>,
    /// `postgres://user:password@host/database`; `None`: SQLite in the data directory.
    pub database_url: Option<String>,
    /// Name of this node among those that share the database.
    pub node: Option<String>,
    /// URL at which the other nodes reach this one, without a path: `https://`, or `http://` on
    /// this host.
    pub node_url: Option<String>,
    /// Allow `http://` for a `node_url` on another host. Screens and keystrokes then cross the
    /// network between the nodes unencrypted.
    pub node_http_insecure: bool,
    /// Receive other nodes' changes at once, by NOTIFY; otherwise by a poll each second.
    pub database_notify: bool,
    /// Seconds without the database after which tabs are closed; 0: they stay open.
    pub database_lost_seconds: u32,
    /// Password of `admin` at the first start; `None`: a random one.
    pub admin_password: Option<String>,
    /// Add the user `student` at the first start, for trials.
    pub trial: bool,
    /// URL at which browsers reach the server, without a path; `None`: `http://` and `addr`.
    pub public_url: Option<String>,
    /// Addresses and networks of reverse proxies and load balancers.
    pub trusted_proxies: TrustedProxies,
    /// The header in which they send the client's address.
    pub proxy_header: ProxyHeader,
    /// Concurrent password checks. Each takes 19 MiB and some 30 ms of one core.
    pub password_checks: usize,
    /// Password checks that may wait for a free slot.
    pub password_queue: usize,
    /// Minutes after which an unused login ends.
    pub login_idle_minutes: u32,
    /// Hours after which a login ends, used or not.
    pub login_max_hours: u32,
    /// Folder of the browser half; `None`: `site` beside the program's folder.
    pub site_dir: Option<PathBuf>,
    /// Add a simulated environment, for trials and benchmarks.
    pub simulated: bool,
    /// Refuse launches on a host that does not limit the memory and processes of a session.
    pub require_limits: bool,
    /// Milliseconds for which a session counts as connected after its tab has closed, so that a
    /// reload is no disconnect.
    pub reload_grace_ms: u32,
    /// Most launches of one person in a minute; 0: no limit.
    pub launches_per_minute: u32,
    /// Most live sessions of one person; 0: no limit.
    pub live_sessions_per_user: u32,
    /// File with the key that signs the log of events; `None`: the log is not signed.
    pub audit_key_file: Option<PathBuf>,
    /// Source of the time: `steady` or `system`.
    pub clock: Time,
    /// Concurrent connections of one address. This host is exempt, for a reverse proxy on it.
    pub connections_per_address: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 3000)),
            data_dir: "data".into(),
            homes_dir: None,
            database_url: None,
            node: None,
            node_url: None,
            node_http_insecure: false,
            database_notify: true,
            database_lost_seconds: 10,
            admin_password: None,
            trial: false,
            public_url: None,
            trusted_proxies: TrustedProxies::default(),
            proxy_header: ProxyHeader::default(),
            password_checks: 2,
            password_queue: 64,
            login_idle_minutes: 480,
            login_max_hours: 24,
            site_dir: None,
            simulated: false,
            require_limits: false,
            reload_grace_ms: 2000,
            launches_per_minute: 20,
            live_sessions_per_user: 10,
            audit_key_file: None,
            clock: Time::Steady,
            connections_per_address: 4096,
        }
    }
}

/// All keys, for messages and for the test of the documentation.
const KEYS: [&str; 27] = [
    "addr",
    "data_dir",
    "homes_dir",
    "database_url",
    "node",
    "node_url",
    "node_http_insecure",
    "database_notify",
    "database_lost_seconds",
    "admin_password",
    "trial",
    "public_url",
    "trusted_proxies",
    "proxy_header",
    "password_checks",
    "password_queue",
    "login_idle_minutes",
    "login_max_hours",
    "site_dir",
    "simulated",
    "require_limits",
    "reload_grace_ms",
    "launches_per_minute",
    "live_sessions_per_user",
    "audit_key_file",
    "clock",
    "connections_per_address",
];

impl Settings {
    /// Reads the given file, or the default one if it exists, and the environment of the process.
    #[expect(clippy::disallowed_methods, reason = "no other file reads settings")]
    pub fn read(file: Option<&Path>) -> Result<Self> {
        let named = file
            .map(Path::to_path_buf)
            .or_else(|| std::env::var_os("CLOUD_DELIVERY_CONFIG").map(PathBuf::from));
        let text = match &named {
            Some(path) => std::fs::read_to_string(path).with_context(|| path.display().to_string())?,
            None => std::fs::read_to_string(DEFAULT_FILE).unwrap_or_default(),
        };
        let name = named.map_or_else(|| DEFAULT_FILE.to_owned(), |path| path.display().to_string());
        Self::parse(&name, &text, std::env::vars())
    }

    fn parse(name: &str, text: &str, variables: impl Iterator<Item = (String, String)>) -> Result<Self> {
        let mut settings: Self = toml::from_str(text).with_context(|| name.to_owned())?;
        for (variable, value) in variables {
            if let Some(key) = variable.strip_prefix(PREFIX) {
                settings.set(&key.to_lowercase(), &value).context(variable)?;
            }
        }
        settings.check()
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        match key {
            "addr" => {
                self.addr = value
                    .parse()
                    .map_err(|_| anyhow!("“{value}” is not an address like 127.0.0.1:3000"))?
            }
            "data_dir" => self.data_dir = value.into(),
            "homes_dir" => self.homes_dir = Some(value.into()),
            "database_url" => self.database_url = Some(database_url(value)?),
            "node" => self.node = Some(value.to_owned()),
            "node_url" => self.node_url = Some(value.to_owned()),
            "node_http_insecure" => self.node_http_insecure = yes(value)?,
            "database_lost_seconds" => {
                self.database_lost_seconds = value
                    .parse()
                    .map_err(|_| anyhow!("“{value}” is not a number of seconds"))?;
            }
            "admin_password" => self.admin_password = Some(value.to_owned()),
            "public_url" => self.public_url = Some(value.to_owned()),
            "trusted_proxies" => self.trusted_proxies = value.parse().map_err(Error::msg)?,
            "proxy_header" => self.proxy_header = value.parse().map_err(Error::msg)?,
            "password_checks" => self.password_checks = number(value)?,
            "password_queue" => self.password_queue = number(value)?,
            "login_idle_minutes" => self.login_idle_minutes = number(value)?,
            "login_max_hours" => self.login_max_hours = number(value)?,
            "site_dir" => self.site_dir = Some(value.into()),
            "trial" => self.trial = yes(value)?,
            "simulated" => self.simulated = yes(value)?,
            "require_limits" => self.require_limits = yes(value)?,
            "database_notify" => self.database_notify = yes(value)?,
            "reload_grace_ms" => {
                self.reload_grace_ms = value
                    .parse()
                    .map_err(|_| anyhow!("“{value}” is not a number of milliseconds"))?;
            }
            "launches_per_minute" => self.launches_per_minute = number(value)?,
            "live_sessions_per_user" => self.live_sessions_per_user = number(value)?,
            "audit_key_file" => self.audit_key_file = Some(value.into()),
            "clock" => self.clock = value.parse().map_err(Error::msg)?,
            "connections_per_address" => {
                self.connections_per_address = value
                    .parse()
                    .map_err(|_| anyhow!("“{value}” is not a number of connections"))?;
            }
            // `read` uses the one and `log_filter` the other.
            "config" | "log" => {}
            _ => bail!("there is no such setting; there are {}", KEYS.join(", ")),
        }
        Ok(())
    }

    fn check(self) -> Result<Self> {
        self.check_node()?;
        for (key, least) in [
            ("password_checks", self.password_checks),
            ("login_idle_minutes", self.login_idle_minutes as usize),
            ("login_max_hours", self.login_max_hours as usize),
        ] {
            if least == 0 {
                bail!("{key}: must be at least 1");
            }
        }
        match self.public_url.as_deref().map(|url| url.trim_end_matches('/')) {
            Some(url) => {
                let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
                if host.is_none_or(|host| host.is_empty() || host.contains('/')) {
                    bail!("public_url: “{url}” is not like https://apps.example.edu (no path)");
                }
                Ok(Self {
                    public_url: Some(url.to_owned()),
                    ..self
                })
            }
            None => Ok(self),
        }
    }

    /// Checks the settings of the database and of nodes.
    fn check_node(&self) -> Result<()> {
        if let Some(url) = &self.database_url {
            database_url(url)?;
        } else if self.node.is_some() {
            bail!("node: set database_url as well; only servers that share a database have names");
        }
        if let Some(node) = &self.node {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
            if node.is_empty() || node.len() > 40 || !node.chars().all(plain) {
                bail!("node: “{node}” is not a name of 1 to 40 letters, digits, dots, dashes and underscores");
            }
            if self.node_url.is_none() {
                bail!(
                    "node_url: required with node; the other nodes reach this one at this URL, e.g. \
                     https://a.example.edu"
                );
            }
        }
        if let Some(url) = &self.node_url {
            self.check_node_url(url)?;
        }
        if !matches!(self.database_lost_seconds, 0 | 5..=14) {
            bail!(
                "database_lost_seconds: must be 0 (tabs stay open) or 5 to 14; after 15 s the other nodes consider \
                 this one dead"
            );
        }
        Ok(())
    }

    /// Accepts an origin, which must use TLS unless it is on this host.
    fn check_node_url(&self, text: &str) -> Result<()> {
        let wrong = || anyhow!("node_url: “{text}” is not like https://a.example.edu (no path)");
        let url = Url::parse(text).map_err(|_| wrong())?;
        let bare = url.username().is_empty() && url.password().is_none();
        let is_origin = bare && url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let on_this_host = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(wrong()),
        };
        match url.scheme() {
            "http" | "https" if !is_origin => Err(wrong()),
            "https" => Ok(()),
            "http" if on_this_host || self.node_http_insecure => Ok(()),
            "http" => Err(anyhow!(
                "node_url: “{text}” would send screens, keystrokes and the nodes' secrets unencrypted. Use https://, \
                 or set node_http_insecure if the network between the nodes is private"
            )),
            _ => Err(wrong()),
        }
    }

    /// The URL for browsers.
    pub fn url(&self) -> String {
        self.public_url
            .clone()
            .unwrap_or_else(|| format!("http://{}", self.addr))
    }

    /// The folder of people's kept homes.
    pub fn homes(&self) -> PathBuf {
        self.homes_dir.clone().unwrap_or_else(|| self.data_dir.join("homes"))
    }

    /// The name of this node.
    pub fn node(&self) -> &str {
        self.node.as_deref().unwrap_or(ONLY_NODE)
    }

    /// The URL at which the other nodes reach this one, without a slash at the end. Empty without
    /// other nodes.
    pub fn node_url(&self) -> &str {
        self.node_url.as_deref().unwrap_or_default().trim_end_matches('/')
    }

    /// Do browsers reach the server over TLS? Then its cookies are `Secure`.
    pub fn https(&self) -> bool {
        self.url().starts_with("https://")
    }
}

fn number<T: std::str::FromStr>(value: &str) -> Result<T> {
    value.parse().map_err(|_| anyhow!("“{value}” is not a whole number"))
}

fn yes(value: &str) -> Result<bool> {
    value
        .parse()
        .map_err(|_| anyhow!("“{value}” is neither true nor false"))
}

/// Accepts the URL of a supported database. The error does not repeat the URL, which may contain a
/// password.
fn database_url(url: &str) -> Result<String> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        Ok(url.to_owned())
    } else {
        Err(anyhow!(
            "database_url: must begin with postgres://; leave it out to use SQLite in the data directory"
        ))
    }
}

/// Variables that `make dev` and cargo-leptos set for a server that they start.
#[derive(Clone, Debug, Default)]
pub struct Development {
    /// Folder of the browser half.
    pub site_root: Option<PathBuf>,
    /// Port on which open pages receive the signal to reload.
    pub reload_port: Option<u32>,
}

impl Development {
    /// Reads the variables. In production they are not set.
    #[expect(clippy::disallowed_methods, reason = "variables of the build tools, not settings")]
    pub fn read() -> Self {
        let watched = std::env::var_os("LEPTOS_WATCH").is_some();
        let port = std::env::var("LEPTOS_RELOAD_PORT")
            .ok()
            .and_then(|port| port.parse().ok());
        Self {
            site_root: std::env::var_os("LEPTOS_SITE_ROOT").map(PathBuf::from),
            reload_port: port.filter(|_| watched),
        }
    }
}

/// The log filter in `CLOUD_DELIVERY_LOG`; by default information and above.
#[expect(clippy::disallowed_methods, reason = "the log starts before the settings are read")]
pub fn log_filter() -> tracing_subscriber::EnvFilter {
    let wish = std::env::var("CLOUD_DELIVERY_LOG").unwrap_or_default();
    tracing_subscriber::EnvFilter::builder()
        .parse(if wish.is_empty() { "info" } else { &wish })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
