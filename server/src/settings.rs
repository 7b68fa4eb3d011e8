//! Settings: a TOML file, overridden by `CLOUD_DELIVERY_*` variables. The table in docs/settings.md documents both; the test
//! `every_setting_is_documented` compares them. Unknown keys are refused, with the line.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use session::ONLY_NODE;
use url::{Host, Url};

use crate::{
    clock::Time,
    http::client_address::{ProxyHeader, TrustedProxies},
};

/// The file that is read when none is named, if it is there.
const DEFAULT_FILE: &str = "cloud-delivery.toml";
const PREFIX: &str = "CLOUD_DELIVERY_";

/// What can be set. Field names are the keys of the file; in variables they are upper case behind `CLOUD_DELIVERY_`.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Address to listen on.
    pub addr: SocketAddr,
    /// Where everything that must survive is kept.
    pub data_dir: PathBuf,
    /// `postgres://user:password@host/database`; without it SQLite in the data directory.
    pub database_url: Option<String>,
    /// Name of this node among those that share the database.
    pub node: Option<String>,
    /// Scheme, host and port under which the other nodes reach this one: `https://`, or `http://` on this host.
    pub node_url: Option<String>,
    /// Allow a `node_url` with `http://` on another host: the network between the nodes then carries, unencrypted, what
    /// people see and type.
    pub node_http_insecure: bool,
    /// Hear of other nodes' changes at once, by NOTIFY; else they are looked for each second.
    pub database_notify: bool,
    /// How long the database may be away before tabs are closed; 0 = they stay open.
    pub database_lost_seconds: u32,
    /// Password of `admin` at the first start; without it one is drawn.
    pub admin_password: Option<String>,
    /// Add a plain user `student` at the first start, for trials.
    pub trial: bool,
    /// Scheme, host and port under which people reach the server; without it `http://` and `addr`.
    pub public_url: Option<String>,
    /// Reverse proxies and load balancers in front: addresses and networks.
    pub trusted_proxies: TrustedProxies,
    /// The header in which they tell the client's address.
    pub proxy_header: ProxyHeader,
    /// Password checks at a time; each takes 19 MiB and some 30 ms of one core.
    pub password_checks: usize,
    /// Password checks that may wait for their turn.
    pub password_queue: usize,
    /// Minutes after which a login that nobody uses ends.
    pub login_idle_minutes: u32,
    /// Hours after which a login ends in any case.
    pub login_max_hours: u32,
    /// The browser half; without it `site` beside the program's folder.
    pub site_dir: Option<PathBuf>,
    /// Add an environment that only pretends, for trials and benchmarks.
    pub simulated: bool,
    /// Refuse sessions on this host where nothing limits their memory and their processes.
    pub require_limits: bool,
    /// How long a session counts as connected after its tab is gone, so that a reload is no disconnect.
    pub reload_grace_ms: u32,
    /// Most launches a minute of one person; 0 = no limit.
    pub launches_per_minute: u32,
    /// Most live sessions of one person; 0 = no limit.
    pub live_sessions_per_user: u32,
    /// File with the key that signs the log of events; without it the log is not signed.
    pub audit_key_file: Option<PathBuf>,
    /// Which time counts: `steady` or `system`.
    pub clock: Time,
    /// Connections that one address may have at the same time. This host is exempt, for a reverse proxy on it.
    pub connections_per_address: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 3000)),
            data_dir: "data".into(),
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

/// The keys, for messages and for the check of the documentation.
const KEYS: [&str; 26] = [
    "addr",
    "data_dir",
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
    /// Reads the file (the one named, or the default one if it is there) and the environment of the process.
    #[expect(clippy::disallowed_methods, reason = "this is where settings come from")]
    pub fn read(file: Option<&Path>) -> Result<Self, String> {
        let named = file
            .map(Path::to_path_buf)
            .or_else(|| std::env::var_os("CLOUD_DELIVERY_CONFIG").map(PathBuf::from));
        let text = match &named {
            Some(path) => std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?,
            None => std::fs::read_to_string(DEFAULT_FILE).unwrap_or_default(),
        };
        let name = named.map_or_else(|| DEFAULT_FILE.to_owned(), |path| path.display().to_string());
        Self::parse(&name, &text, std::env::vars())
    }

    fn parse(name: &str, text: &str, variables: impl Iterator<Item = (String, String)>) -> Result<Self, String> {
        let mut settings: Self = toml::from_str(text).map_err(|error| format!("{name}: {error}"))?;
        for (variable, value) in variables {
            if let Some(key) = variable.strip_prefix(PREFIX) {
                settings
                    .set(&key.to_lowercase(), &value)
                    .map_err(|error| format!("{variable}: {error}"))?;
            }
        }
        settings.check()
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "addr" => {
                self.addr = value
                    .parse()
                    .map_err(|_| format!("“{value}” is not an address like 127.0.0.1:3000"))?
            }
            "data_dir" => self.data_dir = value.into(),
            "database_url" => self.database_url = Some(database_url(value)?),
            "node" => self.node = Some(value.to_owned()),
            "node_url" => self.node_url = Some(value.to_owned()),
            "node_http_insecure" => self.node_http_insecure = yes(value)?,
            "database_lost_seconds" => {
                self.database_lost_seconds = value
                    .parse()
                    .map_err(|_| format!("“{value}” is not a number of seconds"))?;
            }
            "admin_password" => self.admin_password = Some(value.to_owned()),
            "public_url" => self.public_url = Some(value.to_owned()),
            "trusted_proxies" => self.trusted_proxies = value.parse()?,
            "proxy_header" => self.proxy_header = value.parse()?,
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
                    .map_err(|_| format!("“{value}” is not a number of milliseconds"))?;
            }
            "launches_per_minute" => self.launches_per_minute = number(value)?,
            "live_sessions_per_user" => self.live_sessions_per_user = number(value)?,
            "audit_key_file" => self.audit_key_file = Some(value.into()),
            "clock" => self.clock = value.parse()?,
            "connections_per_address" => {
                self.connections_per_address = value
                    .parse()
                    .map_err(|_| format!("“{value}” is not a number of connections"))?;
            }
            // Read elsewhere: the file's own name, and what is logged.
            "config" | "log" => {}
            _ => return Err(format!("there is no such setting; there are {}", KEYS.join(", "))),
        }
        Ok(())
    }

    fn check(self) -> Result<Self, String> {
        self.check_node()?;
        for (key, least) in [
            ("password_checks", self.password_checks),
            ("login_idle_minutes", self.login_idle_minutes as usize),
            ("login_max_hours", self.login_max_hours as usize),
        ] {
            if least == 0 {
                return Err(format!("{key}: must be at least 1"));
            }
        }
        match self.public_url.as_deref().map(|url| url.trim_end_matches('/')) {
            Some(url) => {
                let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
                if host.is_none_or(|host| host.is_empty() || host.contains('/')) {
                    return Err(format!(
                        "public_url: “{url}” is not like https://apps.example.edu (no path)"
                    ));
                }
                Ok(Self {
                    public_url: Some(url.to_owned()),
                    ..self
                })
            }
            None => Ok(self),
        }
    }

    /// Beside the database, everything about nodes.
    fn check_node(&self) -> Result<(), String> {
        if let Some(url) = &self.database_url {
            database_url(url)?;
        } else if self.node.is_some() {
            return Err("node: set database_url as well; only servers that share a database have names".into());
        }
        if let Some(node) = &self.node {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
            if node.is_empty() || node.len() > 40 || !node.chars().all(plain) {
                return Err(format!(
                    "node: “{node}” is not a name of 1 to 40 letters, digits, dots, dashes and underscores"
                ));
            }
            if self.node_url.is_none() {
                return Err(
                    "node_url: required with node; the other nodes reach this one at this URL, e.g. \
                     https://a.example.edu"
                        .into(),
                );
            }
        }
        if let Some(url) = &self.node_url {
            self.check_node_url(url)?;
        }
        if !matches!(self.database_lost_seconds, 0 | 5..=14) {
            return Err(
                "database_lost_seconds: must be 0 (tabs stay open) or 5 to 14; after 15 s the other nodes consider \
                 this one dead"
                    .into(),
            );
        }
        Ok(())
    }

    /// An origin, encrypted unless it is on this host.
    fn check_node_url(&self, text: &str) -> Result<(), String> {
        let wrong = || format!("node_url: “{text}” is not like https://a.example.edu (no path)");
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
            "http" => Err(format!(
                "node_url: “{text}” would send screens, keystrokes and the nodes' secrets unencrypted. Use https://, \
                 or set node_http_insecure if the network between the nodes is private"
            )),
            _ => Err(wrong()),
        }
    }

    /// The address that people type.
    pub fn url(&self) -> String {
        self.public_url
            .clone()
            .unwrap_or_else(|| format!("http://{}", self.addr))
    }

    /// The name of this node.
    pub fn node(&self) -> &str {
        self.node.as_deref().unwrap_or(ONLY_NODE)
    }

    /// Where the other nodes reach this one; empty where there are none.
    pub fn node_url(&self) -> &str {
        self.node_url.as_deref().unwrap_or_default().trim_end_matches('/')
    }

    /// Is it reached over TLS? Then cookies say so.
    pub fn https(&self) -> bool {
        self.url().starts_with("https://")
    }
}

fn number<T: std::str::FromStr>(value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("“{value}” is not a whole number"))
}

fn yes(value: &str) -> Result<bool, String> {
    value
        .parse()
        .map_err(|_| format!("“{value}” is neither true nor false"))
}

/// A URL of a database that there is a store for. Its password stays out of messages.
fn database_url(url: &str) -> Result<String, String> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        Ok(url.to_owned())
    } else {
        Err("database_url: must begin with postgres://; leave it out to use SQLite in the data directory".into())
    }
}

/// What `make dev` and cargo-leptos tell a server that they start: where they put the browser half, and on which port
/// they tell open pages to reload.
#[derive(Clone, Debug, Default)]
pub struct Development {
    /// Folder of the browser half.
    pub site_root: Option<PathBuf>,
    /// Port of the reload signal.
    pub reload_port: Option<u32>,
}

impl Development {
    /// Reads it; all empty in service.
    #[expect(
        clippy::disallowed_methods,
        reason = "variables of the build tools, beside the settings proper"
    )]
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

/// What is logged: `CLOUD_DELIVERY_LOG`, else information and above.
#[expect(
    clippy::disallowed_methods,
    reason = "needed before the settings are read, to log what is wrong with them"
)]
pub fn log_filter() -> tracing_subscriber::EnvFilter {
    let wish = std::env::var("CLOUD_DELIVERY_LOG").unwrap_or_default();
    tracing_subscriber::EnvFilter::builder()
        .parse(if wish.is_empty() { "info" } else { &wish })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
