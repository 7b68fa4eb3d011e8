//! The locale and the time zone of a session, out of those that this host has.

use std::{
    fs::File,
    io::Read,
    path::Path,
    process::{Command, Stdio},
};

use icu_locale::{
    LanguageIdentifier, LocaleCanonicalizer, LocaleExpander,
    subtags::{Script, language},
};
use session::regional::{Language, Regional, TimeZone};

use crate::programs;

/// The locale without a language, which the C library always has.
const NEUTRAL: &str = "C.UTF-8";

/// The time zones of the C library.
const TIME_ZONES: &str = "/usr/share/zoneinfo";

/// The values of LANG and TZ of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Locale {
    pub lang: String,
    /// `None` = the time zone of this host.
    pub time_zone: Option<String>,
}

impl Locale {
    /// The nearest to the settings of a user that this host has. Reads the host each time, so that a
    /// locale that was installed meanwhile counts. Blocks for some milliseconds.
    pub fn nearest(regional: &Regional) -> Self {
        let time_zone = regional.time_zone.as_ref().filter(|zone| exists(zone));
        Self {
            lang: nearest(&regional.languages, &installed()),
            time_zone: time_zone.map(|zone| zone.as_str().to_owned()),
        }
    }
}

/// The output of `locale -a`; empty if that fails.
fn installed() -> String {
    let Ok(program) = programs::tool("locale") else {
        return String::new();
    };
    let listed = Command::new(program)
        .arg("-a")
        .env_clear()
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    listed.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

/// True if the C library can read this time zone: it silently takes UTC for any other one.
fn exists(zone: &TimeZone) -> bool {
    const MAGIC: &[u8; 4] = b"TZif";
    let mut start = [0; MAGIC.len()];
    let file = File::open(Path::new(TIME_ZONES).join(zone.as_str()));
    file.and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *MAGIC
}

/// The first language that one of the `installed` locales has, with the nearest region. English
/// needs no locale of its own: it is the language of programs without one.
fn nearest(languages: &[Language], installed: &str) -> String {
    let likely = Likely::new();
    let installed: Vec<Installed> = installed
        .lines()
        .filter_map(|name| Installed::parse(name, &likely))
        .collect();
    for language in languages {
        let Ok(mut wanted) = LanguageIdentifier::try_from_str(language.as_str()) else {
            continue;
        };
        likely.complete(&mut wanted);
        let same = |each: &&Installed| (each.id.language, each.id.script) == (wanted.language, wanted.script);
        let usual = likely.usual_region(&wanted);
        // A missing region of a language is less near than its usual one.
        let nearness = |each: &&Installed| (each.id.region == wanted.region, each.id.region == usual.region);
        if let Some(found) = installed.iter().filter(same).rev().max_by_key(nearness) {
            return found.name.clone();
        }
        if wanted.language == language!("en") {
            break;
        }
    }
    NEUTRAL.to_owned()
}

/// A locale of this host whose text is UTF-8.
struct Installed {
    /// The value of LANG.
    name: String,
    id: LanguageIdentifier,
}

impl Installed {
    /// Parses a line of `locale -a`, e.g. `sr_RS.utf8@latin`.
    fn parse(line: &str, likely: &Likely) -> Option<Self> {
        let (name, modifier) = line
            .split_once('@')
            .map_or((line, None), |(name, modifier)| (name, Some(modifier)));
        let (place, codeset) = name.split_once('.')?;
        if !["utf8", "utf-8"].contains(&codeset.to_ascii_lowercase().as_str()) {
            return None;
        }
        let mut id = LanguageIdentifier::try_from_str(&place.replace('_', "-")).ok()?;
        // Other modifiers are dialects.
        let script = match modifier {
            None => None,
            Some("latin") => Some("Latn"),
            Some("cyrillic") => Some("Cyrl"),
            Some("devanagari") => Some("Deva"),
            Some(_) => return None,
        };
        if let Some(script) = script {
            id.script = Script::try_from_str(script).ok();
        }
        likely.complete(&mut id);
        let modifier = modifier.map(|modifier| format!("@{modifier}")).unwrap_or_default();
        Some(Self {
            // Some programs know only this spelling of the encoding.
            name: format!("{place}.UTF-8{modifier}"),
            id,
        })
    }
}

/// The likely subtags of CLDR.
struct Likely {
    canonicalizer: LocaleCanonicalizer,
    expander: LocaleExpander,
}

impl Likely {
    fn new() -> Self {
        Self {
            canonicalizer: LocaleCanonicalizer::new_extended(),
            expander: LocaleExpander::new_extended(),
        }
    }

    /// Replaces old tags, and adds the likely script and region: `iw` as `he-Hebr-IL`.
    fn complete(&self, id: &mut LanguageIdentifier) {
        let mut locale = icu_locale::Locale::from(id.clone());
        self.canonicalizer.canonicalize(&mut locale);
        *id = locale.id;
        // The locales of the C library name the written language, which CLDR counts as a part of Norwegian.
        if id.language == language!("no") {
            id.language = language!("nb");
        }
        self.expander.maximize(id);
    }

    /// The same with the usual region of its language and script.
    fn usual_region(&self, id: &LanguageIdentifier) -> LanguageIdentifier {
        let mut usual = LanguageIdentifier {
            region: None,
            ..id.clone()
        };
        self.expander.maximize(&mut usual);
        usual
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTALLED: &str = "C\nC.utf8\nPOSIX\nar_EG.utf8\nde_AT.utf8\nde_DE\nde_DE.iso88591\nde_DE.utf8\nde_DE@euro\nel_GR.utf8\n\
        es_MX.utf8\nfr_CH.utf8\nfr_FR.utf8\nhe_IL.utf8\nja_JP.eucjp\nnb_NO.utf8\npt_BR.utf8\nsr_RS.utf8\nsr_RS.utf8@latin\n\
        ca_ES.utf8@valencia\nuk_UA.utf8\nzh_CN.utf8\nzh_TW.utf8\ngerman\n";

    fn lang(header: &str, installed: &str) -> String {
        nearest(&Language::of_header(header), installed)
    }

    #[test]
    fn the_nearest_locale_of_the_first_language_that_the_host_has() {
        for (header, expected) in [
            ("de-AT", "de_AT.UTF-8"),
            ("de", "de_DE.UTF-8"),
            ("de-CH,fr;q=0.9", "de_DE.UTF-8"),
            ("fr-BE", "fr_FR.UTF-8"),
            ("es-ES", "es_MX.UTF-8"),
            ("es", "es_MX.UTF-8"),
            ("iw", "he_IL.UTF-8"),
            ("no", "nb_NO.UTF-8"),
            ("sr", "sr_RS.UTF-8"),
            ("sr-Latn", "sr_RS.UTF-8@latin"),
            ("zh", "zh_CN.UTF-8"),
            ("zh-Hant", "zh_TW.UTF-8"),
            ("zh-HK", "zh_TW.UTF-8"),
            ("ja,ko;q=0.9,uk;q=0.8", "uk_UA.UTF-8"),
            ("ca", NEUTRAL),
            ("en-US,de;q=0.9", NEUTRAL),
            ("xx-YY", NEUTRAL),
            ("", NEUTRAL),
        ] {
            assert_eq!(lang(header, INSTALLED), expected, "{header}");
        }
        assert_eq!(lang("en-GB", "en_US.utf8\nen_AU.UTF-8"), "en_US.UTF-8");
        assert_eq!(lang("de", ""), NEUTRAL);
    }

    #[test]
    fn only_a_time_zone_of_the_host_counts() {
        let exists = |name: &str| exists(&name.parse().unwrap());
        assert!(exists("Europe/Berlin") && exists("Asia/Kolkata"));
        // Names of the right form: nothing, a folder, and a list.
        assert!(!exists("Europe/Nowhere") && !exists("Europe") && !exists("leapseconds"));
    }
}
