//! Code that is named across processes: a function of this program, as the
//! offset of a constant in its file, which is the same in every process that
//! runs that file.
//!
//! What travels is a number, and nothing is called on a number's word. Both
//! sides look into the process's own memory map: the constant must lie in the
//! program's own file, not in a library of its, and it must begin with a mark
//! that nothing else has and tell the name that was sent along. Only then is
//! the function in it called.

use std::any::{Any, type_name};
use std::fmt;
use std::mem::{align_of, size_of};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What an [`FunctionEntry`] begins with; drawn by lot once.
const MARK: [u64; 2] = [0x7cd1_35e2_98a4_b06f, 0xe31b_5c07_f29d_8846];

/// A function that another process can be told to call; to be a constant of the
/// program, which is what has an [`Address`].
#[repr(C)]
pub struct FunctionEntry {
    mark: [u64; 2],
    name: fn() -> &'static str,
    run: fn(&mut dyn Any),
}

/// Where an [`FunctionEntry`] stands, for another process of the same program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// How far behind the anchor, in bytes.
    pub offset: i64,
    /// What must be found there: a hash of its name.
    pub check: u64,
}

/// Why code has no address, or there is no code at one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// What this process runs can't be seen.
    #[error("the memory map of this process can't be read: {0}")]
    Map(String),
    /// The code is in a library.
    #[error("{0} is not in the program's own file but in a library that it has loaded, which a worker can't find")]
    Foreign(String),
    /// There is something else.
    #[error("there is no code of this program where another process says that it is")]
    Nothing,
}

/// What offsets count from.
static ANCHOR: FunctionEntry = FunctionEntry::new::<FunctionEntry>(|_| {});

impl FunctionEntry {
    /// An entry that calls `run`; its name is that of the type `T`, which should
    /// be another one for each function.
    #[must_use]
    pub const fn new<T: ?Sized>(run: fn(&mut dyn Any)) -> Self {
        Self { mark: MARK, name: type_name::<T>, run }
    }

    /// The name that its address is checked by.
    #[must_use]
    pub fn name(&self) -> &'static str {
        (self.name)()
    }

    /// Calls it.
    pub fn run(&self, with: &mut dyn Any) {
        (self.run)(with);
    }

    fn check(&self) -> u64 {
        hash(self.name())
    }

    /// Where it stands.
    ///
    /// # Errors
    /// It is not in the program's own file.
    pub fn address(&'static self) -> Result<Address, ImageError> {
        // Exposed, as other entries of this process may be asked for by number.
        let at = std::ptr::from_ref(self).expose_provenance();
        if !own_image()?.holds(at) {
            return Err(ImageError::Foreign(self.name().to_owned()));
        }
        let offset = at.wrapping_sub(anchor()) as u64;
        Ok(Address { offset: offset.cast_signed(), check: self.check() })
    }

    /// The entry of this address.
    ///
    /// # Errors
    /// There is none.
    pub fn at(address: Address) -> Result<&'static Self, ImageError> {
        let offset = usize::try_from(address.offset.cast_unsigned()).map_err(|_| ImageError::Nothing)?;
        let at = anchor().wrapping_add(offset);
        if !at.is_multiple_of(align_of::<Self>()) || !own_image()?.holds(at) {
            return Err(ImageError::Nothing);
        }
        let place: *const Self = std::ptr::with_exposed_provenance(at);
        let mark: *const [u64; 2] = place.cast();
        // SAFETY: the memory map says that so many bytes can be read there, it is
        // aligned, and any bytes are numbers.
        if unsafe { mark.read() } != MARK {
            return Err(ImageError::Nothing);
        }
        // SAFETY: it lies in the program's own file, which nobody writes to, and
        // begins with the mark, as `FunctionEntry::new` alone makes it; entries that are
        // no constants lie elsewhere.
        let entry = unsafe { &*place };
        if entry.check() == address.check { Ok(entry) } else { Err(ImageError::Nothing) }
    }
}

impl fmt::Debug for FunctionEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The one value of a function's own type: what a function item, or a closure
/// that captures nothing, is.
///
/// It is for the process that was told to run such a function by another one of
/// the same program, which had the value. A type that stands for something that
/// was done in a process (a token of an initialisation, say) must not be captured
/// by such a function: what it stands for was not done here.
#[must_use]
pub fn zero_sized_value<F: Copy + 'static>() -> F {
    const { assert!(size_of::<F>() == 0, "a function that captures something, or a pointer to one, can't travel") };
    // SAFETY: the type has no bytes, so no bytes can be wrong, and it is inhabited:
    // whoever named it by an `FunctionEntry` had a value. That values of it mean nothing
    // beyond the code that they are is what callers are told above.
    unsafe { std::ptr::NonNull::<F>::dangling().as_ptr().read() }
}

fn anchor() -> usize {
    std::ptr::from_ref(&ANCHOR).addr()
}

/// Where the program's own file stands in memory.
struct Image(Vec<std::ops::Range<usize>>);

impl Image {
    fn holds(&self, at: usize) -> bool {
        at.checked_add(size_of::<FunctionEntry>())
            .is_some_and(|end| self.0.iter().any(|part| part.start <= at && end <= part.end))
    }
}

/// Looked up once: libraries come and go, the program's own file stays where it is.
fn own_image() -> Result<&'static Image, ImageError> {
    static OWN: OnceLock<Result<Image, ImageError>> = OnceLock::new();
    OWN.get_or_init(read_own_image).as_ref().map_err(Clone::clone)
}

fn read_own_image() -> Result<Image, ImageError> {
    let failed = |e: std::io::Error| ImageError::Map(e.to_string());
    let program = std::fs::read_link("/proc/self/exe").map_err(failed)?;
    let map = std::fs::read("/proc/self/maps").map_err(failed)?;
    Ok(Image(parts_of(&map, &program)))
}

/// The readable and constant parts of a file in a memory map.
fn parts_of(map: &[u8], file: &Path) -> Vec<std::ops::Range<usize>> {
    let part = |line: &[u8]| {
        let line = String::from_utf8_lossy(line);
        let mut words = line.splitn(6, ' ');
        let (from, to) = words.next()?.split_once('-')?;
        let rights = words.next()?;
        let path = PathBuf::from(words.nth(3)?.trim_start());
        let range = usize::from_str_radix(from, 16).ok()?..usize::from_str_radix(to, 16).ok()?;
        (rights.starts_with("r-") && path == file).then_some(range)
    };
    map.split(|&byte| byte == b'\n').filter_map(part).collect()
}

/// FNV-1a.
fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    static ADD: FunctionEntry = FunctionEntry::new::<u8>(|number| {
        if let Some(number) = number.downcast_mut::<i32>() {
            *number += 1;
        }
    });

    #[test]
    fn an_address_leads_back_to_the_function() {
        let address = ADD.address().unwrap();
        let mut number = 1i32;
        FunctionEntry::at(address).unwrap().run(&mut number);
        assert_eq!(number, 2);
    }

    #[test]
    fn nothing_else_is_called() {
        let address = ADD.address().unwrap();
        for offset in [1, 8, 16, -8, 4096, i64::MAX, i64::MIN] {
            let wrong = Address { offset: address.offset.wrapping_add(offset), ..address };
            assert_eq!(FunctionEntry::at(wrong).unwrap_err(), ImageError::Nothing, "{offset}");
        }
        let another = Address { check: address.check ^ 1, ..address };
        assert_eq!(FunctionEntry::at(another).unwrap_err(), ImageError::Nothing);
    }

    #[test]
    fn what_is_not_in_the_program_s_file_has_no_address() {
        // On the heap, as it might be in a library.
        let foreign: &'static FunctionEntry = Box::leak(Box::new(FunctionEntry::new::<u16>(|_| {})));
        let error = foreign.address().unwrap_err();
        assert!(error.to_string().contains("u16 is not in the program's own file"), "{error}");
    }

    #[test]
    fn maps_are_read_as_they_are_written() {
        let map = b"00400000-00452000 r--p 00000000 08:02 173521      /bin/a b\n\
                    00452000-00453000 rw-p 00000000 08:02 173521      /bin/a b\n\
                    00500000-00501000 r-xp 00000000 08:02 173521 /lib/c\n\
                    00600000-00601000 r--p 00000000 00:00 0\n";
        let parts = parts_of(map, Path::new("/bin/a b"));
        let ends: Vec<_> = parts.iter().map(|part| (part.start, part.end)).collect();
        assert_eq!(ends, [(0x40_0000, 0x45_2000)]);
    }

    #[test]
    fn functions_are_made_of_nothing() {
        fn call<F: Fn(u8) -> u8 + Copy + 'static>(_: F) -> u8 {
            zero_sized_value::<F>()(1)
        }
        assert_eq!(call(|n| n + 1), 2);
        assert_eq!(call(u8::count_zeros_of), 7);
    }

    trait Zeros {
        fn count_zeros_of(self) -> u8;
    }

    impl Zeros for u8 {
        fn count_zeros_of(self) -> u8 {
            u8::try_from(self.count_zeros()).unwrap_or(u8::MAX)
        }
    }
}
