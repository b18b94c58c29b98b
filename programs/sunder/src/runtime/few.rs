//! A list on the stack, of at most N: there is no allocator.
use super::program_error::ProgramError;
use core::mem::MaybeUninit;
use core::ops::{Deref, DerefMut};

pub struct Few<T, const N: usize> {
    items: [MaybeUninit<T>; N],
    len: usize,
}

impl<T, const N: usize> Few<T, N> {
    pub fn new() -> Self {
        Few { items: [const { MaybeUninit::uninit() }; N], len: 0 }
    }

    /// `InvalidArgument` beyond N.
    pub fn push(&mut self, item: T) -> Result<(), ProgramError> {
        self.items.get_mut(self.len).ok_or(ProgramError::InvalidArgument)?.write(item);
        self.len += 1;
        Ok(())
    }
}

impl<T, const N: usize> Default for Few<T, N> {
    fn default() -> Self {
        Few::new()
    }
}

impl<T, const N: usize> Deref for Few<T, N> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // The first `len` have been written.
        unsafe { core::slice::from_raw_parts(self.items.as_ptr().cast(), self.len) }
    }
}

impl<T, const N: usize> DerefMut for Few<T, N> {
    fn deref_mut(&mut self) -> &mut [T] {
        // As above.
        unsafe { core::slice::from_raw_parts_mut(self.items.as_mut_ptr().cast(), self.len) }
    }
}

impl<T, const N: usize> Drop for Few<T, N> {
    fn drop(&mut self) {
        // Each once: nobody can reach them afterwards.
        unsafe { core::ptr::drop_in_place(&mut **self as *mut [T]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::Cell;

    struct Counts<'a>(&'a Cell<u32>);
    impl Drop for Counts<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }

    #[test]
    fn holds_what_was_pushed_and_drops_it_once() {
        let dropped = Cell::new(0);
        {
            let mut few = Few::<Counts, 2>::new();
            assert_eq!(few.len(), 0);
            assert!(few.push(Counts(&dropped)).is_ok());
            assert!(few.push(Counts(&dropped)).is_ok());
            assert_eq!(few.push(Counts(&dropped)), Err(ProgramError::InvalidArgument));
            assert_eq!((few.len(), dropped.get()), (2, 1));
        }
        assert_eq!(dropped.get(), 3);
    }
}
