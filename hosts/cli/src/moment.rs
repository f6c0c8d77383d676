//! Times and durations as text.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub(crate) type TimeMs = u64;

/// The time of the system's clock.
pub(crate) fn now_ms() -> TimeMs {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// `2026-11-21T09:30:00Z` (RFC 3339), or seconds since 1970.
pub(crate) fn parse(text: &str) -> Result<TimeMs, String> {
    if let Ok(seconds) = text.parse::<u64>() {
        return seconds
            .checked_mul(1000)
            .ok_or_else(|| "too many seconds".to_owned());
    }
    let moment = humantime::parse_rfc3339_weak(text).map_err(|_| {
        "expected a moment such as 2026-11-21T09:30:00Z, or seconds since 1970".to_owned()
    })?;
    let since = moment
        .duration_since(UNIX_EPOCH)
        .map_err(|_| "before 1970".to_owned())?;
    Ok(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// `90s`, `30m`, `2h 15m`, `7days`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "expected a duration such as 90s, 30m or 2h".to_owned())
}

/// RFC 3339 in UTC; `None` outside of the years 1970 to 9999.
pub(crate) fn rfc3339(ms: i64) -> Option<String> {
    let seconds = u64::try_from(ms).ok()? / 1000;
    let moment = UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
    // 9999-12-31T23:59:59Z: later ones have no four-digit year.
    (seconds <= 253_402_300_799).then(|| humantime::format_rfc3339_seconds(moment).to_string())
}

/// `in 4 minutes`, `2 days ago`, `now`.
pub(crate) fn relative(ms: i64, now_ms: TimeMs) -> String {
    let distance = i128::from(ms) - i128::from(now_ms);
    if distance == 0 {
        return "now".to_owned();
    }
    let words = words(distance.unsigned_abs());
    if distance > 0 {
        format!("in {words}")
    } else {
        format!("{words} ago")
    }
}

/// A length of time in its largest whole unit: `4 minutes`.
pub(crate) fn words(ms: u128) -> String {
    const UNITS: [(u128, &str); 6] = [
        (365 * 86_400_000, "year"),
        (86_400_000, "day"),
        (3_600_000, "hour"),
        (60_000, "minute"),
        (1_000, "second"),
        (1, "millisecond"),
    ];
    let (unit, name) = UNITS
        .into_iter()
        .find(|(unit, _)| ms >= *unit)
        .unwrap_or(UNITS[5]);
    let count = ms / unit;
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_time_is_in_its_largest_unit() {
        assert_eq!(relative(1_240_000, 1_000_000), "in 4 minutes");
        assert_eq!(relative(1_000, 2 * 86_400_000 + 5_000), "2 days ago");
        assert_eq!(relative(1_000, 1_000), "now");
        assert_eq!(relative(i64::MAX, 0), "in 292471208 years");
    }

    #[test]
    fn a_moment_is_rfc3339_or_seconds() {
        assert_eq!(parse("1700000000"), Ok(1_700_000_000_000));
        assert_eq!(parse("2023-11-14T22:13:20Z"), Ok(1_700_000_000_000));
        assert!(parse("yesterday").is_err());
        assert_eq!(
            rfc3339(1_700_000_000_000).as_deref(),
            Some("2023-11-14T22:13:20Z")
        );
        assert_eq!(rfc3339(i64::MAX), None);
    }
}
