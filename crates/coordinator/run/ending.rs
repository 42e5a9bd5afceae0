//! What it means for a call that its study ended as it did.

use crate::exit::{self, Status};
use procession_job::Ending;

/// The status of a call that ended like this, as far as that decides it.
pub(super) fn status_of(ending: &Ending) -> Status {
    match ending {
        // The signal that stopped it has a status of its own.
        Ending::Closed | Ending::Stopped | Ending::AlreadyComplete(_) => exit::SUCCESS,
        Ending::Output(_) => exit::OUTPUT_FAILED,
        Ending::Pool(_) => exit::POOL_FAILED,
        Ending::Input(_) | Ending::Refused(_) => exit::USAGE,
        Ending::Failures => exit::ITEM_FAILED,
    }
}

/// What ended a run, in a sentence; `None` where that is told elsewhere.
pub(super) fn describe(ending: &Ending) -> Option<String> {
    match ending {
        Ending::Stopped => Some("stopped by a signal".to_owned()),
        Ending::Output(error) => Some(error.to_string()),
        Ending::Pool(error) => Some(error.to_string()),
        Ending::Input(error) => Some(error.to_string()),
        Ending::Refused(error) => Some(error.to_string()),
        Ending::Failures | Ending::Closed | Ending::AlreadyComplete(_) => None,
    }
}
