//! Times and durations for people. Hand-written, because chrono's format strings would add 15 kB to
//! the browser bundle. The server formats in UTC; the browser reformats in its own time zone after
//! hydration.

use chrono::{Datelike, TimeDelta, Timelike};

use crate::Timestamp;

/// `2026-11-24 14:05 UTC`.
pub fn utc(at: Timestamp) -> String {
    format!("{} {}", date(at), time_of_day(at))
}

/// `2026-11-24 14:05:09 UTC`, for places that show the order of events.
pub fn utc_seconds(at: Timestamp) -> String {
    format!(
        "{} {:02}:{:02}:{:02} UTC",
        date(at),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// ISO 8601 with seconds: `2026-11-24T14:05:09Z`.
pub fn iso(at: Timestamp) -> String {
    format!("{}T{:02}:{:02}:{:02}Z", date(at), at.hour(), at.minute(), at.second())
}

/// `14:05 UTC`.
pub fn time_of_day(at: Timestamp) -> String {
    format!("{:02}:{:02} UTC", at.hour(), at.minute())
}

fn date(at: Timestamp) -> String {
    format!("{:04}-{:02}-{:02}", at.year(), at.month(), at.day())
}

/// An age: in seconds during the first minute, then in whole minutes, hours and days.
pub fn ago(age: TimeDelta) -> String {
    let seconds = age.num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// Suffix of "Valid until" in the last 15 min: `in 9 min`, `in 40 s`. `None` before and after.
pub fn soon(left: TimeDelta) -> Option<String> {
    match left.num_seconds() {
        seconds @ 1..60 => Some(format!("in {seconds} s")),
        seconds @ 60..900 => Some(format!("in {} min", seconds / 60)),
        _ => None,
    }
}

/// A duration in the necessary units: `45 s`, `5 min`, `1 h 30 min`, `8 h`.
pub fn span(seconds: u32) -> String {
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let parts = parts.into_iter().filter(|(number, _)| *number > 0);
    parts
        .map(|(number, unit)| format!("{number} {unit}"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// A size: `512 bytes`, `1.5 KiB`, `256 MiB`, `2 GiB`. Rounded down, so that a full home never appears
/// fuller than its limit.
pub fn bytes(size: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if size < 1024 {
        return if size == 1 {
            "1 byte".to_owned()
        } else {
            format!("{size} bytes")
        };
    }
    let power = (size.ilog2() / 10).min(4);
    let unit = UNITS[power as usize - 1];
    let tenths = (u128::from(size) * 10) >> (10 * power);
    match (tenths / 10, tenths % 10) {
        (whole, part @ 1..) if whole < 100 => format!("{whole}.{part} {unit}"),
        (whole, _) => format!("{whole} {unit}"),
    }
}

/// A waiting time as text: `1 second`, `45 seconds`, `5 minutes` (rounded up).
pub fn seconds(wait: u32) -> String {
    let (number, unit) = if wait <= 90 {
        (wait, "second")
    } else {
        (wait.div_ceil(60), "minute")
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_two_digits_for_each_part() {
        let at = chrono::DateTime::from_timestamp(1_767_489_425, 0).unwrap();
        assert_eq!(utc(at), "2026-01-04 01:17 UTC");
        assert_eq!(utc_seconds(at), "2026-01-04 01:17:05 UTC");
        assert_eq!(iso(at), "2026-01-04T01:17:05Z");
        assert_eq!(time_of_day(at), "01:17 UTC");
    }

    #[test]
    fn a_wait_is_described_in_words() {
        for (wait, text) in [
            (1, "1 second"),
            (90, "90 seconds"),
            (91, "2 minutes"),
            (300, "5 minutes"),
        ] {
            assert_eq!(seconds(wait), text);
        }
    }

    #[test]
    fn a_size_has_the_unit_that_fits() {
        for (size, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1023 bytes"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (256 << 20, "256 MiB"),
            ((2 << 30) - 1, "1.9 GiB"),
            (2 << 30, "2 GiB"),
            (123 << 30, "123 GiB"),
            (u64::MAX, "16777215 TiB"),
        ] {
            assert_eq!(bytes(size), text);
        }
    }

    #[test]
    fn ages_tick_each_second_in_the_first_minute_then_each_minute() {
        for (seconds, text) in [
            (-3, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (119, "1 min"),
            (3600, "1 h 0 min"),
            (86_399, "23 h 59 min"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(ago(TimeDelta::seconds(seconds)), text);
        }
    }

    #[test]
    fn valid_until_says_how_soon_only_in_the_last_quarter_of_an_hour() {
        for (seconds, text) in [(0, None), (59, Some("in 59 s")), (899, Some("in 14 min")), (900, None)] {
            assert_eq!(soon(TimeDelta::seconds(seconds)).as_deref(), text);
        }
    }
}
