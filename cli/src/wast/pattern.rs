//! Values of scripts: arguments, and the patterns that results are compared with.
//!
//! Source: the specification's `interpreter/README.md`, "Scripts"; `nan:canonical` and `nan:arithmetic` are those of
//! core 3.0, "Floating-Point".

use wasmos_frontend::Feature;
use wasmos_runtime::{Store, Val};
use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::token::{F32, F64};
use wast::{WastArg, WastRet};

use crate::wast::script::Verdict;

/// What stands behind the references of a script, `(ref.extern 7)`.
struct Host(u32);

/// Returns an argument as a value.
pub(super) fn argument(store: &mut Store<()>, arg: &WastArg<'_>) -> Result<Val, Verdict> {
    let WastArg::Core(arg) = arg else { return Err(component()) };
    Ok(match arg {
        WastArgCore::I32(value) => Val::I32(*value),
        WastArgCore::I64(value) => Val::I64(*value),
        WastArgCore::F32(value) => Val::F32(value.bits),
        WastArgCore::F64(value) => Val::F64(value.bits),
        WastArgCore::V128(value) => Val::V128(u128::from_le_bytes(value.to_le_bytes())),
        WastArgCore::RefNull(heap) => null(heap),
        WastArgCore::RefExtern(number) => {
            let reference = store.extern_ref(Host(*number));
            Val::ExternRef(Some(reference.map_err(|error| Verdict::Failed(error.to_string()))?))
        }
        WastArgCore::RefHost(_) => return Err(Verdict::needs(Feature::Gc)),
    })
}

/// A null of a type that the script names is a function's: that of another type is a matter of garbage collection.
fn null(heap: &HeapType<'_>) -> Val {
    match heap {
        HeapType::Abstract { ty: AbstractHeapType::Extern | AbstractHeapType::NoExtern, .. } => {
            Val::ExternRef(None)
        }
        HeapType::Abstract { ty: AbstractHeapType::Func | AbstractHeapType::NoFunc, .. }
        | HeapType::Concrete(_)
        | HeapType::Exact(_) => Val::FuncRef(None),
        HeapType::Abstract { .. } => Val::NullRef,
    }
}

/// Returns whether results are what a directive expects.
pub(super) fn all_match(
    store: &Store<()>,
    values: &[Val],
    expected: &[WastRet<'_>],
) -> Result<bool, Verdict> {
    let mut matches = values.len() == expected.len();
    for (value, expected) in values.iter().zip(expected) {
        let WastRet::Core(expected) = expected else { return Err(component()) };
        matches &= is_match(store, value, expected)?;
    }
    Ok(matches)
}

fn component() -> Verdict {
    Verdict::Failed("it is about a component, not a core module".into())
}

fn is_match(store: &Store<()>, value: &Val, expected: &WastRetCore<'_>) -> Result<bool, Verdict> {
    Ok(match (expected, value) {
        (WastRetCore::Either(patterns), _) => {
            for pattern in patterns {
                if is_match(store, value, pattern)? {
                    return Ok(true);
                }
            }
            false
        }
        (WastRetCore::I32(expected), Val::I32(value)) => expected == value,
        (WastRetCore::I64(expected), Val::I64(value)) => expected == value,
        (WastRetCore::F32(pattern), Val::F32(bits)) => is_f32(pattern, *bits),
        (WastRetCore::F64(pattern), Val::F64(bits)) => is_f64(pattern, *bits),
        (WastRetCore::V128(pattern), Val::V128(bits)) => is_v128(pattern, bits.to_le_bytes()),
        (WastRetCore::RefNull(None), Val::FuncRef(None) | Val::ExternRef(None) | Val::NullRef) => true,
        (WastRetCore::RefNull(Some(heap)), value) => null(heap) == *value,
        (WastRetCore::RefExtern(expected), Val::ExternRef(Some(reference))) => {
            let host = store.extern_data(*reference).and_then(|data| data.downcast_ref::<Host>());
            host.is_some_and(|host| expected.is_none_or(|expected| expected == host.0))
        }
        (WastRetCore::RefFunc(_), Val::FuncRef(func)) => func.is_some(),
        (
            WastRetCore::RefAny
            | WastRetCore::RefEq
            | WastRetCore::RefArray
            | WastRetCore::RefStruct
            | WastRetCore::RefI31
            | WastRetCore::RefI31Shared
            | WastRetCore::RefHost(_),
            _,
        ) => return Err(Verdict::needs(Feature::Gc)),
        _ => false,
    })
}

fn is_f32(pattern: &NanPattern<F32>, bits: u32) -> bool {
    match pattern {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff == 0x7fc0_0000,
        NanPattern::ArithmeticNan => bits & 0x7fc0_0000 == 0x7fc0_0000,
        NanPattern::Value(value) => value.bits == bits,
    }
}

fn is_f64(pattern: &NanPattern<F64>, bits: u64) -> bool {
    const QUIET: u64 = 0x7ff8_0000_0000_0000;
    match pattern {
        NanPattern::CanonicalNan => bits & (u64::MAX >> 1) == QUIET,
        NanPattern::ArithmeticNan => bits & QUIET == QUIET,
        NanPattern::Value(value) => value.bits == bits,
    }
}

fn is_v128(pattern: &V128Pattern, bytes: [u8; 16]) -> bool {
    fn lanes<const N: usize, const SIZE: usize>(bytes: [u8; 16]) -> [[u8; SIZE]; N] {
        let (lanes, _) = bytes.as_chunks();
        std::array::from_fn(|at| lanes[at])
    }
    match pattern {
        V128Pattern::I8x16(expected) => lanes(bytes).map(i8::from_le_bytes) == *expected,
        V128Pattern::I16x8(expected) => lanes(bytes).map(i16::from_le_bytes) == *expected,
        V128Pattern::I32x4(expected) => lanes(bytes).map(i32::from_le_bytes) == *expected,
        V128Pattern::I64x2(expected) => lanes(bytes).map(i64::from_le_bytes) == *expected,
        V128Pattern::F32x4(expected) => expected
            .iter()
            .zip(lanes::<4, 4>(bytes))
            .all(|(pattern, lane)| is_f32(pattern, u32::from_le_bytes(lane))),
        V128Pattern::F64x2(expected) => expected
            .iter()
            .zip(lanes::<2, 8>(bytes))
            .all(|(pattern, lane)| is_f64(pattern, u64::from_le_bytes(lane))),
    }
}
