//! How the end of a study is reported: status and message.

use crate::exit::{self, Status};
use procession::PoolError;
use procession_job::Ending;

/// The exit status for this ending; other reasons may raise it.
pub(super) fn status_of(ending: &Ending) -> Status {
    match ending {
        // A signal has a status of its own.
        Ending::Closed | Ending::Stopped | Ending::AlreadyComplete(_) => exit::SUCCESS,
        Ending::Output(_) => exit::OUTPUT_FAILED,
        Ending::Pool(_) => exit::POOL_FAILED,
        Ending::Input(_) | Ending::Refused(_) => exit::USAGE,
        Ending::Failures => exit::ITEM_FAILED,
    }
}

/// Why a run ended; `None` if that is reported elsewhere.
pub(super) fn describe(ending: &Ending) -> Option<String> {
    match ending {
        Ending::Stopped => Some("stopped by a signal".to_owned()),
        Ending::Output(error) => Some(error.to_string()),
        Ending::Pool(PoolError::Refused(why)) => Some(why.clone()),
        Ending::Pool(error) => Some(error.to_string()),
        Ending::Input(error) => Some(error.to_string()),
        Ending::Refused(error) => Some(error.to_string()),
        Ending::Failures | Ending::Closed | Ending::AlreadyComplete(_) => None,
    }
}
