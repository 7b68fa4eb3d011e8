//! Times as people read them. The server draws UTC with these; the browser redraws in its own zone once it is alive.

use chrono::TimeDelta;

use crate::Timestamp;

/// `2026-11-24 14:05 UTC`.
pub fn utc(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// The full ISO time, to the second: `2026-11-24T14:05:09Z`.
pub fn iso(at: Timestamp) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The age of something: every second in the first minute, then whole minutes, hours and days.
pub fn ago(age: TimeDelta) -> String {
    let seconds = age.num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// What "Valid until" adds when less than 15 min are left: `in 9 min`, `in 40 s`. `None` before and after.
pub fn soon(left: TimeDelta) -> Option<String> {
    match left.num_seconds() {
        seconds @ 1..60 => Some(format!("in {seconds} s")),
        seconds @ 60..900 => Some(format!("in {} min", seconds / 60)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
