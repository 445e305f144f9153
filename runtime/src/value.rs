//! Values as an embedder sees them, and how they lie in slots.

use wasmos_backend::vm::Ref;
use wasmos_frontend::types::{HeapType, ValKind, ValType};

use crate::func::Func;
use crate::store::{StoreId, StoreInner};

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Val {
    /// 32-bit integer.
    I32(i32),
    /// 64-bit integer.
    I64(i64),
    /// The bits of a 32-bit float.
    F32(u32),
    /// The bits of a 64-bit float.
    F64(u64),
    /// 128-bit vector, the lane at the lowest address in the lowest bits.
    V128(u128),
    /// A function reference; `None` is null.
    FuncRef(Option<Func>),
    /// A reference to something of the host; `None` is null.
    ExternRef(Option<ExternRef>),
    /// Null of any other reference type.
    NullRef,
}

/// A reference to something of the host, which [`crate::Store::extern_ref`] made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExternRef {
    pub(crate) store: StoreId,
    pub(crate) index: u32,
}

impl Val {
    /// Returns the most general type that the value has by itself.
    #[must_use]
    pub const fn ty(&self) -> ValType {
        match self {
            Self::I32(_) => ValType::I32,
            Self::I64(_) => ValType::I64,
            Self::F32(_) => ValType::F32,
            Self::F64(_) => ValType::F64,
            Self::V128(_) => ValType::V128,
            Self::FuncRef(_) => ValType::FUNCREF,
            Self::ExternRef(_) => ValType::EXTERNREF,
            Self::NullRef => ValType::ANYREF,
        }
    }

    /// Returns the zero or null of a type.
    #[must_use]
    pub fn default_for(ty: ValType) -> Self {
        match ty.kind() {
            ValKind::I32 => Self::I32(0),
            ValKind::I64 => Self::I64(0),
            ValKind::F32 => Self::F32(0),
            ValKind::F64 => Self::F64(0),
            ValKind::V128 => Self::V128(0),
            ValKind::Ref(reference) => match reference.heap {
                HeapType::Func | HeapType::NoFunc | HeapType::Concrete(_) => Self::FuncRef(None),
                HeapType::Extern | HeapType::NoExtern => Self::ExternRef(None),
                _ => Self::NullRef,
            },
            ValKind::Bottom => Self::NullRef,
        }
    }

    /// Reads the value of type `ty` from its slots.
    pub(crate) fn from_slots(store: &StoreInner, ty: ValType, slots: &[u64]) -> Self {
        let (low, high) = (slots.first().copied().unwrap_or(0), slots.get(1).copied().unwrap_or(0));
        match Self::default_for(ty) {
            Self::I32(_) => Self::I32(low as u32 as i32),
            Self::I64(_) => Self::I64(low as i64),
            Self::F32(_) => Self::F32(low as u32),
            Self::F64(_) => Self::F64(low),
            Self::V128(_) => Self::V128(u128::from(high) << 64 | u128::from(low)),
            Self::FuncRef(_) => Self::FuncRef(store.func_from_bits(low)),
            Self::ExternRef(_) => Self::ExternRef(store.extern_from_bits(low)),
            Self::NullRef => Self::NullRef,
        }
    }

    /// Returns the slots of the value; only the first unless it is a vector.
    pub(crate) fn to_slots(self, store: &StoreInner) -> [u64; 2] {
        let low = match self {
            Self::I32(value) => u64::from(value as u32),
            Self::I64(value) => value as u64,
            Self::F32(bits) => u64::from(bits),
            Self::F64(bits) => bits,
            Self::V128(value) => return [value as u64, (value >> 64) as u64],
            Self::FuncRef(func) => store.func_bits(func),
            Self::ExternRef(reference) => store.extern_bits(reference),
            Self::NullRef => Ref::NULL.bits(),
        };
        [low, 0]
    }
}

/// Reads values of the types from their slots.
pub(crate) fn vals_from_slots(store: &StoreInner, types: &[ValType], mut slots: &[u64]) -> Vec<Val> {
    let read = |ty: &ValType| {
        let val = Val::from_slots(store, *ty, slots);
        slots = slots.get(n_slots(*ty)..).unwrap_or(&[]);
        val
    };
    types.iter().map(read).collect()
}

/// Returns the slots of values.
pub(crate) fn slots_from_vals(store: &StoreInner, vals: &[Val]) -> Vec<u64> {
    let mut slots = Vec::with_capacity(vals.len());
    for val in vals {
        slots.extend_from_slice(val.to_slots(store).get(..n_slots(val.ty())).unwrap_or(&[]));
    }
    slots
}

/// Returns how many slots a value of the type takes.
pub(crate) const fn n_slots(ty: ValType) -> usize {
    ty.slot_bytes() as usize / 8
}

/// Returns the value type of a known import's.
#[cfg(test)]
pub(crate) const fn known(ty: wasmos_abi::imports::Type) -> ValType {
    use wasmos_abi::imports::Type;
    match ty {
        Type::I32 => ValType::I32,
        Type::I64 => ValType::I64,
        Type::F32 => ValType::F32,
        Type::F64 => ValType::F64,
    }
}

/// Slots that most functions get by with.
pub(crate) const FEW_SLOTS: usize = 4;
/// The most slots that parameters or results of typed functions take: 16 vectors.
pub(crate) const TYPED_SLOTS: usize = 32;

/// A Rust type that stands for a value type.
pub trait WasmTy: Copy + Send + Sync + 'static {
    /// The value type.
    const TYPE: ValType;
    /// Reads the value from its slots, which are those of [`WasmTy::TYPE`].
    fn load(slots: &[u64], store: &StoreInner) -> Self;
    /// Writes the value to its slots.
    fn save(self, slots: &mut [u64], store: &StoreInner);
}

macro_rules! wasm_ty {
    ($($rust:ty: $ty:ident, |$low:ident, $load_store:ident| $load:expr, |$value:ident, $save_store:ident| $save:expr;)*) => {
        $(
            impl WasmTy for $rust {
                const TYPE: ValType = ValType::$ty;
                #[inline]
                fn load(slots: &[u64], $load_store: &StoreInner) -> Self {
                    let $low = slots.first().copied().unwrap_or(0);
                    $load
                }
                #[inline]
                fn save(self, slots: &mut [u64], $save_store: &StoreInner) {
                    let $value = self;
                    if let Some(slot) = slots.first_mut() {
                        *slot = $save;
                    }
                }
            }
        )*
    };
}

wasm_ty! {
    i32: I32, |low, _s| low as u32 as i32, |x, _s| u64::from(x as u32);
    u32: I32, |low, _s| low as u32, |x, _s| u64::from(x);
    i64: I64, |low, _s| low as i64, |x, _s| x as u64;
    u64: I64, |low, _s| low, |x, _s| x;
    f32: F32, |low, _s| f32::from_bits(low as u32), |x, _s| u64::from(x.to_bits());
    f64: F64, |low, _s| f64::from_bits(low), |x, _s| x.to_bits();
    Option<Func>: FUNCREF, |low, store| store.func_from_bits(low), |x, store| store.func_bits(x);
    Option<ExternRef>: EXTERNREF, |low, store| store.extern_from_bits(low), |x, store| store.extern_bits(x);
}

impl WasmTy for u128 {
    const TYPE: ValType = ValType::V128;
    fn load(slots: &[u64], _: &StoreInner) -> Self {
        match slots {
            [low, high, ..] => Self::from(*high) << 64 | Self::from(*low),
            _ => 0,
        }
    }
    fn save(self, slots: &mut [u64], _: &StoreInner) {
        if let [low, high, ..] = slots {
            (*low, *high) = (self as u64, (self >> 64) as u64);
        }
    }
}

/// Parameters or results as Rust has them: nothing, one value, or a tuple of up to 16.
pub trait WasmTuple: Sized {
    /// The value types.
    fn types() -> Vec<ValType>;
    /// How many slots they take.
    const SLOTS: usize;
    /// Reads the values from their slots.
    fn load(slots: &[u64], store: &StoreInner) -> Self;
    /// Writes the values to their slots.
    fn save(self, slots: &mut [u64], store: &StoreInner);
}

impl<A: WasmTy> WasmTuple for A {
    fn types() -> Vec<ValType> {
        vec![A::TYPE]
    }
    const SLOTS: usize = n_slots(A::TYPE);
    #[inline]
    fn load(slots: &[u64], store: &StoreInner) -> Self {
        A::load(slots, store)
    }
    #[inline]
    fn save(self, slots: &mut [u64], store: &StoreInner) {
        A::save(self, slots, store);
    }
}

macro_rules! wasm_tuples {
    ($(($($name:ident)*))*) => {
        $(
            impl<$($name: WasmTy),*> WasmTuple for ($($name,)*) {
                fn types() -> Vec<ValType> {
                    vec![$($name::TYPE),*]
                }
                const SLOTS: usize = 0 $(+ n_slots($name::TYPE))*;
                #[inline]
                fn load(slots: &[u64], store: &StoreInner) -> Self {
                    let mut at = 0;
                    ($({
                        let value = $name::load(slots.get(at..).unwrap_or(&[]), store);
                        at += n_slots($name::TYPE);
                        let _ = at;
                        value
                    },)*)
                }
                #[inline]
                #[expect(non_snake_case, reason = "a variable for each type parameter")]
                fn save(self, slots: &mut [u64], store: &StoreInner) {
                    let ($($name,)*) = self;
                    let mut at = 0;
                    $(
                        $name.save(slots.get_mut(at..).unwrap_or(&mut []), store);
                        at += n_slots($name::TYPE);
                    )*
                    let _ = at;
                }
            }
        )*
    };
}

/// Calls `$m` with the lists of type parameters for 1 to 16 values.
macro_rules! for_each_arity {
    ($m:ident) => {
        $m! {
            (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
            (A B C D E F G H I) (A B C D E F G H I J) (A B C D E F G H I J K) (A B C D E F G H I J K L)
            (A B C D E F G H I J K L M) (A B C D E F G H I J K L M N) (A B C D E F G H I J K L M N O)
            (A B C D E F G H I J K L M N O P)
        }
    };
}
pub(crate) use for_each_arity;

for_each_arity! { wasm_tuples }

impl WasmTuple for () {
    fn types() -> Vec<ValType> {
        Vec::new()
    }
    const SLOTS: usize = 0;
    fn load(_: &[u64], _: &StoreInner) -> Self {}
    fn save(self, _: &mut [u64], _: &StoreInner) {}
}
