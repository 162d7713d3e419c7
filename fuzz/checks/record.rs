//! Fuzzes the parser of `splitter.lock.json`. Git merges it: no text may panic, and a written record must parse as the
//! same.

use splitter::scaffold::record::Record;

pub(crate) fn check(text: &str) {
    if let Ok(record) = Record::parse(text) {
        assert!(Record::parse(&record.render()).is_ok_and(|again| again == record));
    }
}
