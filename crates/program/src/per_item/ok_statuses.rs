//! The exit statuses of a program that are a success: `grep` exits with 1 if it has
//! found nothing.

use procession_task::{ParamSpec, Params};

/// The parameter that lists them.
pub(crate) const OK_STATUS: ParamSpec = ParamSpec {
    name: "ok-status",
    default: "0",
    values: &[],
    help: "the exit statuses of the program that are a success: 0,1 for grep (short: --ok-status 0,1)",
};

/// A set of exit statuses.
pub(crate) struct OkStatuses([bool; 256]);

impl OkStatuses {
    /// The set of the parameter.
    ///
    /// # Errors
    /// What is wrong with it, and what to write.
    pub(crate) fn of(params: &Params) -> Result<Self, String> {
        let mut known = [false; 256];
        for word in params.get(OK_STATUS.name).split(',') {
            let status = word.trim().parse::<u8>().map_err(|_| {
                format!("'{word}' is not an exit status: write numbers from 0 to 255, as in --ok-status 0,1")
            })?;
            known[usize::from(status)] = true;
        }
        Ok(Self(known))
    }

    /// Whether this status is a success.
    pub(crate) fn include(&self, status: i32) -> bool {
        usize::try_from(status).is_ok_and(|status| self.0.get(status).copied().unwrap_or(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<OkStatuses, String> {
        OkStatuses::of(&Params::check("command", &[OK_STATUS], &[("ok-status".into(), text.into())]).unwrap())
    }

    #[test]
    fn statuses_are_a_list_of_numbers() {
        let set = of("0, 1,255").unwrap();
        assert_eq!([-1, 0, 1, 2, 255, 256].map(|status| set.include(status)), [false, true, true, false, true, false]);
        assert!(!of("1").unwrap().include(0), "the list is complete");
        for bad in ["", "0,", "x", "-1", "256", "0-3"] {
            assert!(of(bad).err().unwrap().contains("as in --ok-status 0,1"), "{bad}");
        }
    }
}
