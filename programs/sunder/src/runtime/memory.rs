//! Bytes in bulk by syscall. Ordinary Rust (`copy_from_slice`, `==` on slices) comes out as the same syscalls where it pays;
//! these are for code that wants to be sure.
use super::syscalls;
use core::cmp::Ordering;
use core::marker::PhantomData;

/// A slice as the syscalls read one: Rust promises nothing about the order of its own slice's two words.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Slice<'a> {
    start: *const u8,
    len: u64,
    bytes: PhantomData<&'a [u8]>,
}

impl<'a> Slice<'a> {
    pub fn of(bytes: &'a [u8]) -> Slice<'a> {
        Slice { start: bytes.as_ptr(), len: bytes.len() as u64, bytes: PhantomData }
    }
}

/// Like `a.cmp(b)`.
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let mut order = 0i32;
    unsafe { syscalls::sol_memcmp_(a.as_ptr(), b.as_ptr(), a.len().min(b.len()) as u64, &mut order) };
    order.cmp(&0).then(a.len().cmp(&b.len()))
}

/// Copies all of `from` to the front of `to`; panics if there is no room.
pub fn copy(to: &mut [u8], from: &[u8]) {
    let to = &mut to[..from.len()];
    unsafe { syscalls::sol_memmove_(to.as_mut_ptr(), from.as_ptr(), from.len() as u64) }
}

pub fn fill(to: &mut [u8], byte: u8) {
    unsafe { syscalls::sol_memset_(to.as_mut_ptr(), byte, to.len() as u64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_as_slices_do() {
        let all: [&[u8]; 6] = [b"", b"a", b"ab", b"abc", b"b", b"\xff"];
        for a in all {
            for b in all {
                assert_eq!(compare(a, b), a.cmp(b));
            }
        }
    }

    #[test]
    fn copies_and_fills() {
        let mut bytes = [1u8; 5];
        copy(&mut bytes, &[7, 8]);
        assert_eq!(bytes, [7, 8, 1, 1, 1]);
        fill(&mut bytes[1..], 0);
        assert_eq!(bytes, [7, 0, 0, 0, 0]);
    }

    #[test]
    #[should_panic]
    fn never_copies_past_the_end() {
        copy(&mut [0; 2], &[1; 3]);
    }
}
