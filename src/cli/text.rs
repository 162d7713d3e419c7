//! Formats numbers, sizes, times and names for people.

pub(super) use crate::escaping::{escape, is_unsafe, put};

use std::{
    io::{self, Write},
    time::Duration,
};

/// Formats a size: `0 B`, `999 B`, `1.5 kB`, `23.4 MB`, with decimal prefixes.
pub(super) fn bytes(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", units[unit]) }
}

/// Formats a size in megabytes, so that a column compares at a glance: `0 MB`, `<0.1 MB`, `23.4 MB`, `1,234.5 MB`.
pub(super) fn megabytes(bytes: u128) -> String {
    let tenths = bytes.saturating_add(50_000) / 100_000;
    match (bytes, tenths) {
        (0, _) => "0 MB".to_owned(),
        (_, 0) => "<0.1 MB".to_owned(),
        _ => format!("{}.{} MB", count(usize::try_from(tenths / 10).unwrap_or(usize::MAX)), tenths % 10),
    }
}

/// Formats a number with a comma between thousands.
pub(super) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a count with its noun: `1 file`, `2 files`.
pub(super) fn things(number: usize, one: &str) -> String {
    match (number, one.strip_suffix('y')) {
        (1, _) => format!("1 {one}"),
        (_, Some(stem)) => format!("{} {stem}ies", count(number)),
        (_, None) => format!("{} {one}s", count(number)),
    }
}

/// Formats a time: `12 ms`, `1.2 s`, `2 min 3 s`.
pub(super) fn duration(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        1..=59 => format!("{:.1} s", time.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// Writes JSON without characters that control a terminal. Programs read the same values.
pub(super) struct EscapedJson<W>(pub(super) W);

impl<W: Write> Write for EscapedJson<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The serializer writes whole texts, and escapes the control characters of ASCII itself.
        match std::str::from_utf8(bytes) {
            Ok(text) if text.chars().any(is_unsafe) => {
                for character in text.chars() {
                    if is_unsafe(character) {
                        write!(self.0, "\\u{:04x}", u32::from(character))?;
                    } else {
                        write!(self.0, "{character}")?;
                    }
                }
            }
            _ => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Writes lines of the log. The logging library escapes the start of terminal sequences in messages, and adds its own.
pub(super) struct LogWriter<W>(pub(super) W);

impl<W: Write> Write for LogWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let lines: Vec<_> = text.split('\u{1b}').map(escape).collect();
        self.0.write_all(lines.join("\u{1b}").as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_counts_and_times_are_short() {
        assert_eq!(
            [0, 999, 1000, 999_949, 999_950, 737_000_000].map(bytes),
            ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "737.0 MB"]
        );
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            (things(1, "file"), things(2, "file"), things(0, "library")),
            ("1 file".into(), "2 files".into(), "0 libraries".into())
        );
        assert_eq!([12, 1234, 123_000].map(|ms| duration(Duration::from_millis(ms))), ["12 ms", "1.2 s", "2 min 3 s"]);
    }

    #[test]
    fn megabytes_have_one_unit() {
        assert_eq!(
            [0, 1, 49_999, 50_000, 1_949_999, 1_234_500_000].map(megabytes),
            ["0 MB", "<0.1 MB", "<0.1 MB", "0.1 MB", "1.9 MB", "1,234.5 MB"]
        );
        assert!(megabytes(u128::MAX).ends_with(" MB"));
    }

    #[test]
    fn json_keeps_its_values() {
        let value = "a\u{1b}\u{9b}\u{202e}\u{7f}é\n";
        let mut bytes = Vec::new();
        serde_json::to_writer(EscapedJson(&mut bytes), value).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text, "\"a\\u001b\\u009b\\u202e\\u007fé\\n\"");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), value);
    }

    #[test]
    fn the_log_keeps_its_own_colours_alone() {
        let mut bytes = Vec::new();
        LogWriter(&mut bytes).write_all("\u{1b}[2ma\u{202e}b\n".as_bytes()).unwrap();
        assert_eq!(bytes, b"\x1b[2ma\\u{202e}b\n");
    }
}
