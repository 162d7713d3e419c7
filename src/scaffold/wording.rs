//! Words for values and lists that changed.

use std::fmt::Display;

/// How many entries of a list are named.
const SHOWN: usize = 4;

/// ``the registry changed: `a` -> `b` ``
pub(super) fn changed(what: &str, from: &str, to: &str) -> String {
    format!("{what} changed: {}", from_to(Some(from), Some(to)))
}

/// `` `a` -> `b` ``, or `none` if there is no value.
pub(super) fn from_to(from: Option<&str>, to: Option<&str>) -> String {
    let text = |value: Option<&str>| value.map_or_else(|| "none".to_owned(), |value| format!("`{value}`"));
    format!("{} -> {}", text(from), text(to))
}

/// `` the systems changed: added `a`, removed `b` ``. Returns `None` if the lists are the same.
pub(super) fn changed_list<'a, T: Display + PartialEq + 'a>(
    what: &str,
    from: impl IntoIterator<Item = &'a T>,
    to: impl IntoIterator<Item = &'a T>,
) -> Option<String> {
    let (from, to): (Vec<&T>, Vec<&T>) = (from.into_iter().collect(), to.into_iter().collect());
    (from != to).then(|| format!("{what} changed: {}", added_removed(&from, &to)))
}

/// ``added `a`, removed `b` ``. Lists with the same entries differ in their order.
pub(super) fn added_removed<T: Display + PartialEq>(from: &[T], to: &[T]) -> String {
    let added = to.iter().filter(|entry| !from.contains(entry));
    let removed = from.iter().filter(|entry| !to.contains(entry));
    let parts: Vec<String> =
        [named("added", added), named("removed", removed)].into_iter().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "only their order".to_owned() } else { parts.join(", ") }
}

fn named<T: Display>(verb: &str, entries: impl Iterator<Item = T>) -> String {
    let entries: Vec<String> = entries.map(|entry| format!("`{entry}`")).collect();
    match entries.len() {
        0 => String::new(),
        count if count > SHOWN => format!("{verb} {} and {} more", entries[..SHOWN].join(" "), count - SHOWN),
        _ => format!("{verb} {}", entries.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_lists_are_named() {
        assert_eq!(changed("the registry", "a", "b"), "the registry changed: `a` -> `b`");
        assert_eq!(from_to(None, Some("web")), "none -> `web`");
        assert_eq!(changed_list("it", &["a"], &["a"]), None);
        assert_eq!(added_removed(&["a", "b"], &["b", "c", "d"]), "added `c` `d`, removed `a`");
        assert_eq!(added_removed(&["a", "b"], &["b", "a"]), "only their order");
        assert_eq!(added_removed(&[], &[1, 2, 3, 4, 5, 6]), "added `1` `2` `3` `4` and 2 more");
    }
}
