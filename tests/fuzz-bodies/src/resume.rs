//! Records beside outputs: any bytes are either a record, which is the same
//! record after it is written and read again, or refused with a short message.

use procession_job::{ResumeRecord, ResumeRecordError};

/// Writing a record sets it in lines, at most so many times as long.
const GROWTH: usize = 4;
/// What is said of a record that is none has at most so many bytes.
const SAID: usize = 2000;

/// Reads the bytes as a record of what was done.
pub fn resume(bytes: &[u8]) {
    match ResumeRecord::parse(bytes) {
        Ok(record) => match record.to_text() {
            Some(text) => assert_eq!(ResumeRecord::parse(&text), Ok(record)),
            None => assert!(bytes.len() * GROWTH > 1 << 20, "a short record that can't be written"),
        },
        Err(error) => {
            assert!(error.to_string().len() <= SAID, "{error}");
            assert!(error != ResumeRecordError::TooLong || bytes.len() > 1 << 20);
        }
    }
}
