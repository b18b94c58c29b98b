//! Views, as `generated.rs` calls for them: `Market<&[u8; SIZE]>` reads, `Market<&mut [u8; SIZE]>` writes too.
//!
//! A view holds an array and not a slice, so that its length is known when it is compiled: offsets are constants, and the
//! checks of the bounds fall away.
use super::error::StateError;

/// A value in the bytes of an account, little-endian.
pub trait Leaf: Copy {
    const BYTES: usize;
    fn get(bytes: &[u8], at: usize) -> Self;
    fn put(self, bytes: &mut [u8], at: usize);
    /// For tests and tools: a number in decimal, a key in hexadecimal.
    #[cfg(not(target_os = "solana"))]
    fn show(&self) -> String;
    #[cfg(not(target_os = "solana"))]
    fn parse(text: &str) -> Option<Self>;
}

#[inline(always)]
fn take<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut value = [0; N];
    value.copy_from_slice(&bytes[at..at + N]);
    value
}

macro_rules! integer {
    ($($type:ty)*) => {$(
        impl Leaf for $type {
            const BYTES: usize = core::mem::size_of::<$type>();
            #[inline(always)]
            fn get(bytes: &[u8], at: usize) -> Self {
                <$type>::from_le_bytes(take(bytes, at))
            }
            #[inline(always)]
            fn put(self, bytes: &mut [u8], at: usize) {
                bytes[at..at + Self::BYTES].copy_from_slice(&self.to_le_bytes());
            }
            #[cfg(not(target_os = "solana"))]
            fn show(&self) -> String {
                self.to_string()
            }
            #[cfg(not(target_os = "solana"))]
            fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )*};
}
integer!(u8 u16 u32 i32 u64 i64 u128 i128);

/// One byte; anything but 0 counts as true, and 1 is what is written.
impl Leaf for bool {
    const BYTES: usize = 1;
    #[inline(always)]
    fn get(bytes: &[u8], at: usize) -> Self {
        bytes[at] != 0
    }
    #[inline(always)]
    fn put(self, bytes: &mut [u8], at: usize) {
        bytes[at] = u8::from(self);
    }
    #[cfg(not(target_os = "solana"))]
    fn show(&self) -> String {
        u8::from(*self).to_string()
    }
    #[cfg(not(target_os = "solana"))]
    fn parse(text: &str) -> Option<Self> {
        ["0", "1"].iter().position(|known| *known == text).map(|value| value == 1)
    }
}

impl Leaf for [u8; 32] {
    const BYTES: usize = 32;
    #[inline(always)]
    fn get(bytes: &[u8], at: usize) -> Self {
        take(bytes, at)
    }
    #[inline(always)]
    fn put(self, bytes: &mut [u8], at: usize) {
        bytes[at..at + 32].copy_from_slice(&self);
    }
    #[cfg(not(target_os = "solana"))]
    fn show(&self) -> String {
        self.iter().map(|byte| format!("{byte:02x}")).collect()
    }
    #[cfg(not(target_os = "solana"))]
    fn parse(text: &str) -> Option<Self> {
        let mut key = [0; 32];
        for (i, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()?;
        }
        (text.len() == 64).then_some(key)
    }
}

/// A field of an account: entry i of a list begins at `offset + i * stride`.
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo {
    pub name: &'static str,
    pub offset: usize,
    pub bytes: usize,
    pub count: usize,
    pub stride: usize,
}

/// Whether the bytes are an account of this kind, version and length.
#[inline(always)]
pub fn check(data: &[u8], discriminator: &[u8; 8], version: u8, size: usize) -> Result<(), StateError> {
    let Some((name, rest)) = data.split_first_chunk::<8>() else {
        return Err(if data.is_empty() { StateError::Uninitialised } else { StateError::WrongLength });
    };
    if name != discriminator {
        return Err(if *name == [0; 8] { StateError::Uninitialised } else { StateError::WrongDiscriminator });
    }
    // The version first: an account of another one may well have another length.
    match rest.first() {
        Some(found) if *found != version => Err(StateError::WrongVersion),
        _ if data.len() != size => Err(StateError::WrongLength),
        _ => Ok(()),
    }
}

/// Makes fresh bytes an account, all else 0.
#[inline(always)]
pub(super) fn begin<const SIZE: usize>(
    bytes: &mut [u8; SIZE],
    discriminator: &[u8; 8],
    version: u8,
) -> Result<(), StateError> {
    if bytes[..9] != [0; 9] {
        return Err(StateError::AlreadyInitialised);
    }
    bytes[..8].copy_from_slice(discriminator);
    bytes[8] = version;
    Ok(())
}

/// The view of an account, `get set OFFSET: type;` for each field, `get set OFFSET: type * count, stride;` for a list.
macro_rules! account {
    ($(#[$about:meta])* $name:ident, $at:ident; $(
        $(#[$means:meta])* $get:ident $set:ident $offset:ident: $type:tt $(* $count:literal, $stride:literal)?;
    )*) => {
        $(#[$about])*
        #[derive(Debug)]
        pub struct $name<B>(B);

        impl<'a> $name<&'a [u8; $at::SIZE]> {
            /// To read. `Uninitialised`, `WrongDiscriminator`, `WrongVersion`, `WrongLength`.
            #[inline(always)]
            pub fn load(data: &'a [u8]) -> Result<Self, $crate::state::StateError> {
                $crate::state::check(data, &$at::DISCRIMINATOR, $at::VERSION, $at::SIZE)?;
                Ok($name(data.try_into().map_err(|_| $crate::state::StateError::WrongLength)?))
            }
        }

        impl<'a> $name<&'a mut [u8; $at::SIZE]> {
            /// To read and write. `Uninitialised`, `WrongDiscriminator`, `WrongVersion`, `WrongLength`.
            #[inline(always)]
            pub fn load_mut(data: &'a mut [u8]) -> Result<Self, $crate::state::StateError> {
                $crate::state::check(data, &$at::DISCRIMINATOR, $at::VERSION, $at::SIZE)?;
                Ok($name(data.try_into().map_err(|_| $crate::state::StateError::WrongLength)?))
            }

            /// Fresh bytes, all 0, become an account. `AlreadyInitialised`, `WrongLength`.
            #[inline(always)]
            pub fn init(data: &'a mut [u8]) -> Result<Self, $crate::state::StateError> {
                let bytes: &mut [u8; $at::SIZE] =
                    data.try_into().map_err(|_| $crate::state::StateError::WrongLength)?;
                $crate::state::view::begin(bytes, &$at::DISCRIMINATOR, $at::VERSION)?;
                Ok($name(bytes))
            }
        }

        impl<B: core::ops::Deref<Target = [u8; $at::SIZE]>> $name<B> {
            $(account!(@get [$(#[$means])*] $at $get $offset $type $($count $stride)?);)*

            /// A field by its name, as text; for tests and tools.
            #[cfg(not(target_os = "solana"))]
            pub fn text(&self, field: &str, entry: usize) -> Option<String> {
                let bytes: &[u8] = &self.0[..];
                $(if field == stringify!($get) {
                    let at = $at::$offset $(+ if entry < $count { entry * $stride } else { return None })?;
                    return Some($crate::state::Leaf::show(&<$type as $crate::state::Leaf>::get(bytes, at)));
                })*
                let _ = (bytes, entry);
                None
            }
        }

        impl<B: core::ops::DerefMut<Target = [u8; $at::SIZE]>> $name<B> {
            $(account!(@set $at $set $offset $type $($count $stride)?);)*

            /// Writes a field by its name, through its setter; for tests and tools.
            #[cfg(not(target_os = "solana"))]
            pub fn set_text(&mut self, field: &str, entry: usize, text: &str) -> Option<()> {
                $(if field == stringify!($get) {
                    let value = <$type as $crate::state::Leaf>::parse(text)?;
                    return account!(@put self $set entry value $($count)?);
                })*
                let _ = (entry, text);
                None
            }
        }

        impl $name<()> {
            /// What the account is made of behind its head, in order.
            pub const FIELDS: &'static [$crate::state::FieldInfo] = &[$($crate::state::FieldInfo {
                name: stringify!($get),
                offset: $at::$offset,
                bytes: <$type as $crate::state::Leaf>::BYTES,
                count: account!(@count $($count)?),
                stride: account!(@stride $($stride)?),
            },)*];
        }
    };

    (@get [$($means:tt)*] $at:ident $get:ident $offset:ident $type:tt) => {
        $($means)*
        #[inline(always)]
        pub fn $get(&self) -> $type {
            <$type as $crate::state::Leaf>::get(&self.0[..], $at::$offset)
        }
    };
    (@get [$($means:tt)*] $at:ident $get:ident $offset:ident $type:tt $count:literal $stride:literal) => {
        $($means)*
        /// `OutOfRange` beyond the entries.
        #[inline(always)]
        pub fn $get(&self, entry: usize) -> Result<$type, $crate::state::StateError> {
            if entry >= $count {
                return Err($crate::state::StateError::OutOfRange);
            }
            Ok(<$type as $crate::state::Leaf>::get(&self.0[..], $at::$offset + entry * $stride))
        }
    };
    (@set $at:ident $set:ident $offset:ident $type:tt) => {
        #[inline(always)]
        pub fn $set(&mut self, value: $type) {
            $crate::state::Leaf::put(value, &mut self.0[..], $at::$offset)
        }
    };
    (@set $at:ident $set:ident $offset:ident $type:tt $count:literal $stride:literal) => {
        /// `OutOfRange` beyond the entries.
        #[inline(always)]
        pub fn $set(&mut self, entry: usize, value: $type) -> Result<(), $crate::state::StateError> {
            if entry >= $count {
                return Err($crate::state::StateError::OutOfRange);
            }
            $crate::state::Leaf::put(value, &mut self.0[..], $at::$offset + entry * $stride);
            Ok(())
        }
    };
    (@put $view:ident $set:ident $entry:ident $value:ident) => {{
        $view.$set($value);
        Some(())
    }};
    (@put $view:ident $set:ident $entry:ident $value:ident $count:literal) => {
        $view.$set($entry, $value).ok()
    };
    (@count) => { 1 };
    (@count $count:literal) => { $count };
    (@stride) => { 0 };
    (@stride $stride:literal) => { $stride };
}
