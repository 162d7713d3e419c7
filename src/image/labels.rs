//! What an image says of the commit that it was made from: labels and the time of creation.
//!
//! The plan never depends on a commit. Otherwise each commit would build each plan again. So these labels are added when an image
//! is sent or written, to the configuration alone.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::plan::Plan;

/// The label with the commit.
pub const REVISION: &str = "org.opencontainers.image.revision";
/// The label with the time of creation.
pub const CREATED: &str = "org.opencontainers.image.created";
/// The time of creation of a plan that sets none.
const DEFAULT_CREATED: &str = "1970-01-01T00:00:01Z";
/// The first second of the year 10000, which RFC 3339 cannot express.
const END: u64 = 253_402_300_800;
/// The end of the revision if tracked files differ from the commit.
const DIRTY: &str = "-dirty";

/// The commit that an image is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The full id.
    pub id: String,
    /// The time of the commit, as RFC 3339.
    pub time: String,
    /// Whether tracked files differ from it.
    pub is_dirty: bool,
}

/// What is added to the configuration of images.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// The commit.
    pub commit: Option<Commit>,
    /// The time of creation that the user set, as RFC 3339. It goes before the time of the commit.
    pub time: Option<String>,
    /// Labels that the user gave. They replace those of the plan.
    pub given: BTreeMap<String, String>,
}

impl Labels {
    /// Adds the labels to an image. A time or a label of the plan's own options stays, unless the user gave the label.
    pub fn add_to(&self, plan: &mut Plan) {
        let time = self.time.as_ref().or(self.commit.as_ref().map(|commit| &commit.time));
        if let Some(time) = time.filter(|_| plan.created == DEFAULT_CREATED) {
            plan.created.clone_from(time);
        }
        let mut labels = match plan.config.remove("Labels") {
            Some(Value::Object(labels)) => labels,
            _ => Map::new(),
        };
        if let Some(Commit { id, is_dirty, .. }) = &self.commit {
            let revision = format!("{id}{}", if *is_dirty { DIRTY } else { "" });
            for (key, value) in [(REVISION, revision), (CREATED, plan.created.clone())] {
                labels.entry(key).or_insert_with(|| value.into());
            }
        }
        labels.extend(self.given.iter().map(|(key, value)| (key.clone(), value.as_str().into())));
        if !labels.is_empty() {
            plan.config.insert("Labels".to_owned(), labels.into());
        }
    }
}

/// Formats a Unix time as RFC 3339. Returns nothing for years after 9999.
pub fn time(seconds: u64) -> Option<String> {
    if seconds >= END {
        return None;
    }
    let (mut days, rest) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970;
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days_of = |year: u64| 365 + u64::from(is_leap(year));
    while days >= days_of(year) {
        days -= days_of(year);
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    Some(format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", days + 1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::image::Store;

    fn plan(created: &str, labels: &Value) -> Plan {
        let plan = json!({
            "version": 1, "name": "web", "architecture": "amd64", "os": "linux", "created": created,
            "config": { "Labels": labels }, "layers": [],
        });
        Plan::parse(plan.to_string().as_bytes(), &Store::default()).unwrap()
    }

    fn commit(is_dirty: bool) -> Labels {
        let commit = Commit { id: "ab12".to_owned(), time: "2026-11-30T10:00:00Z".to_owned(), is_dirty };
        Labels { commit: Some(commit), ..Labels::default() }
    }

    fn added(labels: &Labels, mut plan: Plan) -> (String, Value) {
        labels.add_to(&mut plan);
        (plan.created, plan.config.remove("Labels").unwrap_or_default())
    }

    #[test]
    fn the_commit_is_in_labels_and_gives_the_time() {
        let labels = commit(false);
        let (created, found) = added(&labels, plan(DEFAULT_CREATED, &json!({ "team": "blue" })));
        assert_eq!(created, "2026-11-30T10:00:00Z");
        assert_eq!(found, json!({ "team": "blue", REVISION: "ab12", CREATED: "2026-11-30T10:00:00Z" }));
        let labels = commit(true);
        assert_eq!(added(&labels, plan(DEFAULT_CREATED, &Value::Null)).1[REVISION], "ab12-dirty");
    }

    #[test]
    fn options_of_the_image_stay_and_labels_of_the_user_win() {
        const SET: &str = "2001-02-03T04:05:06Z";
        let set = plan(SET, &json!({ REVISION: "mine" }));
        let labels = commit(false);
        let (created, found) = added(&labels, set.clone());
        assert_eq!((created.as_str(), &found[REVISION], &found[CREATED]), (SET, &"mine".into(), &SET.into()));
        let given = BTreeMap::from([(REVISION.to_owned(), "yours".to_owned())]);
        let (_, found) = added(&Labels { given, ..labels }, set);
        assert_eq!(found[REVISION], "yours");
    }

    #[test]
    fn the_time_of_the_user_goes_before_that_of_the_commit() {
        let labels = Labels { time: Some("1999-01-01T00:00:00Z".to_owned()), ..commit(false) };
        let (created, found) = added(&labels, plan(DEFAULT_CREATED, &json!({})));
        assert_eq!((created.as_str(), &found[CREATED]), ("1999-01-01T00:00:00Z", &"1999-01-01T00:00:00Z".into()));
    }

    #[test]
    fn without_labels_the_configuration_stays() {
        let mut changed = plan(DEFAULT_CREATED, &json!({ "a": "b" }));
        Labels::default().add_to(&mut changed);
        assert_eq!(changed, plan(DEFAULT_CREATED, &json!({ "a": "b" })));
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (END - 1, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(time(seconds).as_deref(), Some(expected));
        }
        assert_eq!(time(END), None);
    }
}
