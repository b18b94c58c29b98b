//! The program's heap as one value: room for what a stack frame of 4 KiB has none for.

/// Where the loader maps it, and how much it is unless the transaction asks for more.
#[cfg(target_os = "solana")]
const HEAP: *mut u8 = 0x3_0000_0000 as *mut u8;
pub const HEAP_BYTES: usize = 32 * 1024;

/// A type for which bytes that are all zero are a value.
///
/// # Safety
/// They are.
pub unsafe trait Zeroed {}

/// The heap as a T, all zero, as the loader hands it to every call of the program.
///
/// # Safety
/// Once in a call: nobody else uses the heap.
#[cfg(target_os = "solana")]
pub unsafe fn whole_heap<T: Zeroed>() -> &'static mut T {
    const { assert!(core::mem::size_of::<T>() <= HEAP_BYTES) }
    &mut *HEAP.cast::<T>()
}

/// Off chain: memory of its own.
///
/// # Safety
/// None needed here.
#[cfg(not(target_os = "solana"))]
pub unsafe fn whole_heap<T: Zeroed>() -> &'static mut T {
    const { assert!(core::mem::size_of::<T>() <= HEAP_BYTES) }
    std::boxed::Box::leak(std::boxed::Box::<T>::new_zeroed().assume_init())
}
