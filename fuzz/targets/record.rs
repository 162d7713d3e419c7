//! `splitter.lock.json` is merged by git: no text may panic, and what is read must survive being written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use splitter::scaffold::record::Record;

fuzz_target!(|text: &str| {
    if let Ok(record) = Record::parse(text) {
        assert!(Record::parse(&record.render()).is_ok_and(|again| again == record));
    }
});
