//! The arguments with which a worker is started. The coordinator starts the
//! program with [`ARGUMENT`] first; a program that can be a worker looks for it
//! first thing in `main`.

use std::ffi::OsString;

/// The first argument of a program that is to be a worker; the coordinator's
/// process id and the worker's slot follow.
pub const ARGUMENT: &str = "procession-worker";

/// The arguments with which a worker is started.
pub(crate) fn arguments(slot: u32) -> Vec<OsString> {
    let pid = std::process::id().to_string();
    vec![ARGUMENT.into(), pid.into(), slot.to_string().into()]
}

/// Which worker of which coordinator a program was started as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// The coordinator's process id.
    pub coordinator: u32,
    /// The slot in the pool, from 0.
    pub slot: u32,
}

impl Role {
    /// Reads a program's arguments, its own name left out; `None` if it was not
    /// started by a coordinator. A program with more rights than its caller (set-uid,
    /// set-gid, capabilities) is never a worker: its caller could have it run anything
    /// that the program's code has, with these rights.
    pub fn from_args(args: impl Iterator<Item = OsString>) -> Option<Self> {
        Self::read(args, procession_sys::has_more_rights_than_caller())
    }

    fn read(mut args: impl Iterator<Item = OsString>, is_privileged: bool) -> Option<Self> {
        if args.next()? != ARGUMENT || is_privileged {
            return None;
        }
        let mut number = || args.next()?.to_str()?.parse().ok();
        Some(Self { coordinator: number()?, slot: number()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_from_arguments() {
        let role = Role::from_args(arguments(3).into_iter());
        assert_eq!(role, Some(Role { coordinator: std::process::id(), slot: 3 }));
        assert_eq!(Role::read(arguments(3).into_iter(), true), None, "a set-uid program");
        for args in [&[][..], &["--help"], &[ARGUMENT], &[ARGUMENT, "x", "1"], &[ARGUMENT, "1"]] {
            assert_eq!(Role::from_args(args.iter().map(OsString::from)), None, "{args:?}");
        }
    }
}
