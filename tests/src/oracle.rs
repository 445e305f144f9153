//! Our verdict on a module beside that of `wasmparser`, an independent decoder and validator.
//!
//! The two agree on every module but for the cases of [`Difference`], each of which is recognised by what both say,
//! and by where.

use core::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wasmos_frontend::types::AddressType;
use wasmos_frontend::{Error, ErrorKind, Feature, Features, ValidModule, decode_with, validate};
use wasmparser::{Validator, WasmFeatures};

/// What both say of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agreement {
    /// Both accept it.
    Accepted,
    /// Both refuse it.
    Refused,
    /// They differ, and both are right.
    Different(Difference),
}

/// Why the verdicts may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// We refuse it for a limit that `wasmparser` does not have, or has elsewhere: targets of a `br_table`, operands
    /// of an `array.new_fixed`, operands on the stack, comparisons of types.
    OurLimit,
    /// `wasmparser` sums up the sizes of the types of imports and exports and refuses a million; we have no such
    /// number.
    TheirTypeSize,
    /// A bound of a memory or table with 32-bit addresses is written in more bytes than a 32-bit integer has. Core
    /// 3.0 reads every bound as an integer of 64 bits ("Limits" of the binary format); `wasmparser` does not.
    WideBound,
    /// A feature is switched off, and what belongs to it is seen differently: the forms of segments that came with
    /// bulk-memory, which `wasmparser` always reads; and with gc on, but not function-references, the types of the
    /// latter, which `wasmparser` allows, and casts to non-null types, which we allow.
    FeatureBorder,
    /// Of the two forms of exceptions only the legacy one is on: we allow its tags, `wasmparser` does not.
    LegacyTags,
}

/// Two verdicts that must not both be.
#[derive(Debug)]
pub struct Disagreement {
    /// Ours; a panic is one too.
    pub ours: Result<(), String>,
    /// That of `wasmparser`.
    pub theirs: Result<(), String>,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |verdict: &Result<(), String>| match verdict {
            Ok(()) => "accepted".to_owned(),
            Err(message) => format!("refused: {message}"),
        };
        write!(f, "ours: {}\ntheirs: {}", show(&self.ours), show(&self.theirs))
    }
}

/// Returns the flags of `wasmparser` for a set of features; everything that is not in our list is switched off.
#[must_use]
pub fn wasm_features(features: Features) -> WasmFeatures {
    features.iter().map(flags).fold(WasmFeatures::MVP, WasmFeatures::union)
}

const fn flags(feature: Feature) -> WasmFeatures {
    match feature {
        Feature::Mvp => WasmFeatures::MVP,
        Feature::MutableGlobal => WasmFeatures::MUTABLE_GLOBAL,
        Feature::SaturatingFloatToInt => WasmFeatures::SATURATING_FLOAT_TO_INT,
        Feature::SignExtension => WasmFeatures::SIGN_EXTENSION,
        Feature::MultiValue => WasmFeatures::MULTI_VALUE,
        Feature::BulkMemory => WasmFeatures::BULK_MEMORY,
        Feature::ReferenceTypes => WasmFeatures::REFERENCE_TYPES,
        Feature::Simd => WasmFeatures::SIMD,
        Feature::RelaxedSimd => WasmFeatures::RELAXED_SIMD,
        Feature::TailCall => WasmFeatures::TAIL_CALL,
        Feature::ExtendedConst => WasmFeatures::EXTENDED_CONST,
        Feature::MultiMemory => WasmFeatures::MULTI_MEMORY,
        Feature::Memory64 => WasmFeatures::MEMORY64,
        Feature::FunctionReferences => WasmFeatures::FUNCTION_REFERENCES,
        Feature::Gc => WasmFeatures::GC,
        Feature::Exceptions => WasmFeatures::EXCEPTIONS,
        Feature::LegacyExceptions => WasmFeatures::LEGACY_EXCEPTIONS,
        Feature::Threads => WasmFeatures::THREADS,
        Feature::CustomPageSizes => WasmFeatures::CUSTOM_PAGE_SIZES,
        Feature::WideArithmetic => WasmFeatures::WIDE_ARITHMETIC,
    }
}

/// Decodes and validates a module with both.
///
/// # Errors
/// [`Disagreement`], also if we panic.
pub fn compare(bytes: &[u8], features: Features) -> Result<Agreement, Disagreement> {
    let theirs = Validator::new_with_features(wasm_features(features)).validate_all(bytes);
    let ours = || decode_with(bytes, features).and_then(validate);
    let Ok(ours) = catch_unwind(AssertUnwindSafe(ours)) else {
        let theirs = theirs.map(drop).map_err(|error| error.to_string());
        return Err(Disagreement { ours: Err("panic".to_owned()), theirs });
    };
    let difference = match (&ours, &theirs) {
        (Ok(_), Ok(_)) => return Ok(Agreement::Accepted),
        (Err(_), Err(_)) => return Ok(Agreement::Refused),
        (Err(ours), Ok(_)) => our_refusal(ours, features),
        (Ok(ours), Err(theirs)) => their_refusal(ours, theirs),
    };
    difference.map(Agreement::Different).ok_or_else(|| Disagreement {
        ours: ours.map(drop).map_err(|error| error.to_string()),
        theirs: theirs.map(drop).map_err(|error| error.to_string()),
    })
}

fn our_refusal(ours: &Error, features: Features) -> Option<Difference> {
    const OURS: [&str; 4] =
        ["br_table targets", "array.new_fixed operands", "operands", "comparisons of types, budget exceeded"];
    match ours.kind {
        ErrorKind::TooMany { what, .. } if OURS.contains(&what) => Some(Difference::OurLimit),
        ErrorKind::FeatureDisabled(Feature::BulkMemory) => Some(Difference::FeatureBorder),
        ErrorKind::FeatureDisabled(Feature::FunctionReferences) if features.contains(Feature::Gc) => {
            Some(Difference::FeatureBorder)
        }
        _ => None,
    }
}

fn their_refusal(ours: &ValidModule, theirs: &wasmparser::Error) -> Option<Difference> {
    if theirs.message().starts_with("effective type size exceeds the limit") {
        return Some(Difference::TheirTypeSize);
    }
    let only = |on, off| ours.features.contains(on) && !ours.features.contains(off);
    match theirs.message() {
        "exceptions proposal not enabled" if only(Feature::LegacyExceptions, Feature::Exceptions) => {
            return Some(Difference::LegacyTags);
        }
        "function references required for non-nullable types"
            if only(Feature::Gc, Feature::FunctionReferences) =>
        {
            return Some(Difference::FeatureBorder);
        }
        _ => {}
    }
    if !theirs.message().starts_with("invalid var_u32") {
        return None;
    }
    let memories = ours.memories.iter().map(|memory| (memory.offset, memory.ty.address));
    let tables = ours.tables.iter().map(|table| (table.offset, table.ty.address));
    // A type of a memory or table has at most a heap type (6 bytes), flags, and two integers of 10 bytes.
    let in_bounds = |(offset, address): (u32, AddressType)| {
        let offset = u64::from(offset);
        address == AddressType::I32 && (offset..offset + 27).contains(&theirs.offset())
    };
    memories.chain(tables).any(in_bounds).then_some(Difference::WideBound)
}
