//! How native functions call each other.
//!
//! A guest's function takes the context of its instance, what is left of the call depth in bytes, then its parameters,
//! and returns its results, by Cranelift's `tail` convention, so that any call may be a tail call. References are 64
//! bits. Results beyond the registers go through memory of the caller's, which Cranelift sees to.

use cranelift_codegen::ir::{AbiParam, ArgumentPurpose, Signature, Type, types};
use cranelift_codegen::isa::CallConv;
use wasmos_frontend::types::{FuncType, ValKind, ValType};

/// Returns the type that a value has at boundaries: parameters, results, locals, labels.
pub(super) fn clif_type(ty: ValType) -> Type {
    match ty.kind() {
        ValKind::I32 => types::I32,
        ValKind::I64 | ValKind::Ref(_) | ValKind::Bottom => types::I64,
        ValKind::F32 => types::F32,
        ValKind::F64 => types::F64,
        ValKind::V128 => types::I8X16,
    }
}

/// Returns the signature of a guest's function.
pub(super) fn signature(ty: &FuncType) -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    signature.params.push(AbiParam::special(types::I64, ArgumentPurpose::VMContext));
    signature.params.push(AbiParam::new(types::I64));
    signature.params.extend(ty.params().iter().map(|ty| AbiParam::new(clif_type(*ty))));
    signature.returns.extend(ty.results().iter().map(|ty| AbiParam::new(clif_type(*ty))));
    signature
}

/// Returns a signature over words of 64 bits.
pub(super) fn words(convention: CallConv, params: usize, result: bool) -> Signature {
    let mut signature = Signature::new(convention);
    signature.params.extend(core::iter::repeat_n(AbiParam::new(types::I64), params));
    signature.returns.extend(result.then(|| AbiParam::new(types::I64)));
    signature
}

/// A signature as far as calls can tell: functions with equal shapes have equal code around them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(crate) struct Shape(Box<[u8]>);

impl Shape {
    pub(crate) fn of(ty: &FuncType) -> Self {
        let code = |ty: &ValType| match ty.kind() {
            ValKind::I32 => 0,
            ValKind::I64 | ValKind::Ref(_) | ValKind::Bottom => 1,
            ValKind::F32 => 2,
            ValKind::F64 => 3,
            ValKind::V128 => 4,
        };
        let params = ty.params().iter().map(code);
        Self(params.chain(core::iter::once(u8::MAX)).chain(ty.results().iter().map(code)).collect())
    }
}
