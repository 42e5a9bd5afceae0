//! The beginning of the input that an earlier run has consumed. It is left out,
//! after its hash was compared with the resume record.

use super::segment::InputSegment;
use crate::error::InputError;
use crate::resume::hash::InputHash;
use crate::resume::record::ConsumedInput;
use crate::resume::tracker::ResumeTracker;
use procession_task::Items;

/// Passes over the items that an earlier run has consumed.
pub(crate) struct Prefix {
    rule: Items,
    hash: InputHash,
    passed: u64,
    expected: ConsumedInput,
}

impl Prefix {
    pub(crate) fn new(rule: Items, expected: ConsumedInput) -> Self {
        Self { rule, hash: InputHash::new(rule), passed: 0, expected }
    }

    /// The prefix that this tracker expects.
    pub(crate) fn of(tracker: &ResumeTracker) -> Self {
        let (rule, expected) = tracker.expected();
        Self::new(rule, expected)
    }

    /// Reports to the tracker that the whole prefix was seen.
    pub(crate) fn confirm(self, tracker: &ResumeTracker) {
        tracker.confirm(self.hash, self.passed);
    }

    /// Takes a segment and returns the part of it after the prefix.
    ///
    /// # Errors
    /// The whole prefix was seen and its hash differs.
    pub(crate) fn pass(&mut self, mut segment: InputSegment) -> Result<Option<InputSegment>, InputError> {
        let wanted = self.expected.items - self.passed;
        let taken = wanted.min(segment.items);
        let is_whole = taken == segment.items;
        let end = if is_whole { segment.bytes.len() } else { self.rule.measure(&segment.bytes, taken).bytes };
        let before = segment.bytes.split_to(end);
        self.hash.update(&before, taken);
        self.passed += taken;
        if self.is_passed() && self.hash.digest() != self.expected.hash {
            return Err(InputError::Changed { items: self.passed });
        }
        if is_whole {
            return Ok(None);
        }
        let place = segment.place.map(|place| place.after(&before));
        Ok(Some(InputSegment { bytes: segment.bytes, items: segment.items - taken, place, continues: false }))
    }

    /// Whether the whole prefix was seen.
    pub(crate) fn is_passed(&self) -> bool {
        self.passed == self.expected.items
    }

    /// The error if the input ends before the prefix does.
    pub(crate) fn missing(&self) -> Option<InputError> {
        let (consumed, items) = (self.expected.items, self.passed);
        (!self.is_passed()).then_some(InputError::Shorter { consumed, items })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;

    fn hash(rule: Items, text: &str) -> u128 {
        let mut hash = InputHash::new(rule);
        hash.update(text.as_bytes(), rule.count(text.as_bytes()));
        hash.digest()
    }

    fn segment(text: &str, rule: Items) -> InputSegment {
        InputSegment { bytes: BytesMut::from(text), items: rule.count(text.as_bytes()), place: None, continues: false }
    }

    #[test]
    fn a_prefix_is_verified_or_refused() {
        let consumed = ConsumedInput { items: 3, hash: hash(Items::Lines, "1\n2\n3\n") };
        let tracker = ResumeTracker::new(Items::Lines, consumed);
        assert!(!tracker.is_confirmed());
        let mut prefix = Prefix::of(&tracker);
        assert!(prefix.pass(segment("1\n2\n", Items::Lines)).unwrap().is_none());
        assert!(matches!(prefix.missing(), Some(InputError::Shorter { consumed: 3, items: 2 })));
        let rest = prefix.pass(segment("3\n4\n5", Items::Lines)).unwrap().unwrap();
        assert_eq!((&rest.bytes[..], rest.items), (&b"4\n5"[..], 2));
        assert!(prefix.missing().is_none());
        prefix.confirm(&tracker);
        tracker.push(rest.bytes.freeze(), 2);
        assert_eq!(tracker.reach(5), Some(hash(Items::Lines, "1\n2\n3\n4\n5\n")));
        for changed in ["1\n2\n4\n", "1\n3\n4\n", "0\n1\n2\n3\n", "1\n2\n3x\n"] {
            let refused = Prefix::of(&tracker).pass(segment(changed, Items::Lines));
            assert!(matches!(refused, Err(InputError::Changed { items: 3 })), "{changed}");
        }
    }
}
