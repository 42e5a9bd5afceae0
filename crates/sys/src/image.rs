//! Functions that one process can name to another: the offset of a constant in the
//! program's file, which is the same in every process that runs that file.
//!
//! A received offset is validated before anything is called. The receiver looks at
//! its own memory map: the constant must lie in the program's own file, not in one
//! of its libraries. It must begin with a unique mark, and its name must have the
//! hash that was sent along. Only then is its function called.

use std::any::{Any, type_name};
use std::fmt;
use std::mem::{align_of, size_of};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The first bytes of a [`FunctionEntry`]; drawn at random once.
const MARK: [u64; 2] = [0x7cd1_35e2_98a4_b06f, 0xe31b_5c07_f29d_8846];

/// A function that another process can be told to call. It must be a constant of
/// the program; only constants have an [`Address`].
#[repr(C)]
pub struct FunctionEntry {
    mark: [u64; 2],
    name: fn() -> &'static str,
    run: fn(&mut dyn Any),
}

/// The position of a [`FunctionEntry`], for another process of the same program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The distance from the anchor, in bytes.
    pub offset: i64,
    /// A hash of the entry's name.
    pub check: u64,
}

/// Why a function has no address, or why there is no function at an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The memory map of this process can't be read.
    #[error("the memory map of this process can't be read: {0}")]
    Map(String),
    /// The function is in a library.
    #[error("{0} is not in the program's own file but in a library that it has loaded, which a worker can't find")]
    Foreign(String),
    /// There is no entry at the address.
    #[error("no function of this program is at the address that another process sent")]
    Nothing,
}

/// The origin of all offsets.
static ANCHOR: FunctionEntry = FunctionEntry::new::<FunctionEntry>(|_| {});

impl FunctionEntry {
    /// An entry that calls `run`. The entry's name is that of the type `T`, which must
    /// differ from function to function.
    #[must_use]
    pub const fn new<T: ?Sized>(run: fn(&mut dyn Any)) -> Self {
        Self { mark: MARK, name: type_name::<T>, run }
    }

    /// The name by which its address is checked.
    #[must_use]
    pub fn name(&self) -> &'static str {
        (self.name)()
    }

    /// Calls the function.
    pub fn run(&self, with: &mut dyn Any) {
        (self.run)(with);
    }

    fn check(&self) -> u64 {
        hash(self.name())
    }

    /// The entry's address.
    ///
    /// # Errors
    /// The entry is not in the program's own file.
    pub fn address(&'static self) -> Result<Address, ImageError> {
        // Exposed, because other entries of this process are later read by number.
        let at = std::ptr::from_ref(self).expose_provenance();
        if !own_image()?.holds(at) {
            return Err(ImageError::Foreign(self.name().to_owned()));
        }
        let offset = at.wrapping_sub(anchor()) as u64;
        Ok(Address { offset: offset.cast_signed(), check: self.check() })
    }

    /// The entry at this address.
    ///
    /// # Errors
    /// There is no such entry.
    pub fn at(address: Address) -> Result<&'static Self, ImageError> {
        let offset = usize::try_from(address.offset.cast_unsigned()).map_err(|_| ImageError::Nothing)?;
        let at = anchor().wrapping_add(offset);
        if !at.is_multiple_of(align_of::<Self>()) || !own_image()?.holds(at) {
            return Err(ImageError::Nothing);
        }
        let place: *const Self = std::ptr::with_exposed_provenance(at);
        let mark: *const [u64; 2] = place.cast();
        // SAFETY: the memory map says that this many bytes can be read there, the pointer
        // is aligned, and any bytes are valid numbers.
        if unsafe { mark.read() } != MARK {
            return Err(ImageError::Nothing);
        }
        // SAFETY: it lies in the program's own file, which nothing writes to, and begins
        // with the mark, which only `FunctionEntry::new` writes. Entries that are not
        // constants lie elsewhere.
        let entry = unsafe { &*place };
        if entry.check() == address.check { Ok(entry) } else { Err(ImageError::Nothing) }
    }
}

impl fmt::Debug for FunctionEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The only value of a function's own type: of a function item, or of a closure
/// that captures nothing.
///
/// It is for a process that another process of the same program told to run such a
/// function; that other process had the value. The function must not capture a type
/// whose value proves that something was done in this process (a token of an
/// initialization, for example): it was not done here.
#[must_use]
pub fn zero_sized_value<F: Copy + 'static>() -> F {
    const { assert!(size_of::<F>() == 0, "a function that captures something, or a pointer to one, can't travel") };
    // SAFETY: the type has no bytes, so no bytes can be wrong, and it is inhabited:
    // the process that named it by a `FunctionEntry` had a value. The documentation
    // tells callers that the value means nothing but its code.
    unsafe { std::ptr::NonNull::<F>::dangling().as_ptr().read() }
}

fn anchor() -> usize {
    std::ptr::from_ref(&ANCHOR).addr()
}

/// The memory ranges of the program's own file.
struct Image(Vec<std::ops::Range<usize>>);

impl Image {
    fn holds(&self, at: usize) -> bool {
        at.checked_add(size_of::<FunctionEntry>())
            .is_some_and(|end| self.0.iter().any(|part| part.start <= at && end <= part.end))
    }
}

/// Looked up once: libraries come and go, the program's own file keeps its place.
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

/// The readable and constant ranges of a file in a memory map.
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
    fn an_address_without_an_entry_is_refused() {
        let address = ADD.address().unwrap();
        for offset in [1, 8, 16, -8, 4096, i64::MAX, i64::MIN] {
            let wrong = Address { offset: address.offset.wrapping_add(offset), ..address };
            assert_eq!(FunctionEntry::at(wrong).unwrap_err(), ImageError::Nothing, "{offset}");
        }
        let another = Address { check: address.check ^ 1, ..address };
        assert_eq!(FunctionEntry::at(another).unwrap_err(), ImageError::Nothing);
    }

    #[test]
    fn an_entry_outside_the_program_file_has_no_address() {
        // On the heap, to stand for an entry in a library.
        let foreign: &'static FunctionEntry = Box::leak(Box::new(FunctionEntry::new::<u16>(|_| {})));
        let error = foreign.address().unwrap_err();
        assert!(error.to_string().contains("u16 is not in the program's own file"), "{error}");
    }

    #[test]
    fn memory_maps_are_parsed() {
        let map = b"00400000-00452000 r--p 00000000 08:02 173521      /bin/a b\n\
                    00452000-00453000 rw-p 00000000 08:02 173521      /bin/a b\n\
                    00500000-00501000 r-xp 00000000 08:02 173521 /lib/c\n\
                    00600000-00601000 r--p 00000000 00:00 0\n";
        let parts = parts_of(map, Path::new("/bin/a b"));
        let ends: Vec<_> = parts.iter().map(|part| (part.start, part.end)).collect();
        assert_eq!(ends, [(0x40_0000, 0x45_2000)]);
    }

    #[test]
    fn functions_without_captures_need_no_bytes() {
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
