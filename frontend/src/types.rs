//! Value, reference, heap and composite types; index newtypes; how each is read.
//!
//! Source: core 3.0, "Types" of the structure and of the binary format.

use core::fmt;

use crate::error::{ErrorKind, IndexSpace, Result};
use crate::features::Feature;
use crate::limits;
use crate::reader::Reader;

macro_rules! indices {
    ($($name:ident $doc:literal;)*) => {
        $(
            #[doc = $doc]
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
            #[repr(transparent)]
            pub struct $name(pub u32);

            impl $name {
                /// Returns the index as one into a slice.
                #[inline]
                #[must_use]
                pub const fn index(self) -> usize {
                    self.0 as usize
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }
        )*
    };
}

indices! {
    TypeIdx     "Index of a type.";
    FuncIdx     "Index of a function, imported ones first.";
    TableIdx    "Index of a table, imported ones first.";
    MemIdx      "Index of a memory, imported ones first.";
    GlobalIdx   "Index of a global, imported ones first.";
    TagIdx      "Index of a tag, imported ones first.";
    ElemIdx     "Index of an element segment.";
    DataIdx     "Index of a data segment.";
    LocalIdx    "Index of a local, parameters first.";
    LabelIdx    "Index of a label, the innermost being 0.";
    FieldIdx    "Index of a field of a structure type.";
}

/// A heap type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum HeapType {
    Any,
    Eq,
    I31,
    Struct,
    Array,
    None,
    Func,
    NoFunc,
    Extern,
    NoExtern,
    Exn,
    NoExn,
    /// Below every heap type: a reference that unreachable code takes from an empty stack. No module can write it.
    Bottom,
    /// A type of the module.
    Concrete(TypeIdx),
}

const BOTTOM_CODE: u8 = 0x01;

/// Code in the binary format, text name and the proposal of each abstract heap type.
///
/// The code of the bottom type is one that no signed byte of a module can stand for.
const ABSTRACT: [(HeapType, u8, &str, Feature); 13] = [
    (HeapType::Any, 0x6e, "any", Feature::Gc),
    (HeapType::Eq, 0x6d, "eq", Feature::Gc),
    (HeapType::I31, 0x6c, "i31", Feature::Gc),
    (HeapType::Struct, 0x6b, "struct", Feature::Gc),
    (HeapType::Array, 0x6a, "array", Feature::Gc),
    (HeapType::None, 0x71, "none", Feature::Gc),
    (HeapType::Func, 0x70, "func", Feature::Mvp),
    (HeapType::NoFunc, 0x73, "nofunc", Feature::Gc),
    (HeapType::Extern, 0x6f, "extern", Feature::ReferenceTypes),
    (HeapType::NoExtern, 0x72, "noextern", Feature::Gc),
    (HeapType::Exn, 0x69, "exn", Feature::Exceptions),
    (HeapType::NoExn, 0x74, "noexn", Feature::Exceptions),
    (HeapType::Bottom, BOTTOM_CODE, "any heap type", Feature::Mvp),
];

impl HeapType {
    fn from_code(code: u8) -> Option<(Self, Feature)> {
        ABSTRACT.iter().find(|row| row.1 == code).map(|row| (row.0, row.3))
    }

    fn row(self) -> Option<(u8, &'static str)> {
        ABSTRACT.iter().find(|row| row.0 == self).map(|row| (row.1, row.2))
    }

    /// Returns the top of the hierarchy that the abstract heap type stands in; `None` for a concrete one.
    #[must_use]
    pub const fn top(self) -> Option<Self> {
        match self {
            Self::Any | Self::Eq | Self::I31 | Self::Struct | Self::Array | Self::None => Some(Self::Any),
            Self::Func | Self::NoFunc => Some(Self::Func),
            Self::Extern | Self::NoExtern => Some(Self::Extern),
            Self::Exn | Self::NoExn => Some(Self::Exn),
            Self::Bottom | Self::Concrete(_) => None,
        }
    }

    /// Reads a heap type.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedByte`] and the reader's.
    pub fn read(r: &mut Reader<'_>) -> Result<Self> {
        let offset = r.offset();
        let byte = r.peek();
        if byte == Some(0x62) {
            return Err(r.error(ErrorKind::Unsupported { what: "an exact heap type (custom descriptors)" }));
        }
        // A byte with bit 6 set and bit 7 clear is an abstract type; longer forms of it are none (core 3.0, "Heap Types").
        if let Some(code) = byte.filter(|byte| byte & 0xc0 == 0x40) {
            let Some((heap, feature)) = Self::from_code(code) else {
                return Err(r.error(malformed_heap(code)));
            };
            r.require(feature, offset)?;
            r.byte()?;
            return Ok(heap);
        }
        let value = r.var_s33()?;
        let Ok(index) = u32::try_from(value) else {
            return Err(r.error_at(malformed_heap(byte.unwrap_or(0)), offset));
        };
        r.require(Feature::FunctionReferences, offset)?;
        concrete(r, index, offset)
    }
}

/// What stands behind a heap type's code that is not one of ours.
fn malformed_heap(code: u8) -> ErrorKind {
    match code {
        0x68 | 0x75 => ErrorKind::Unsupported { what: "stack switching (a continuation type)" },
        0x65 => ErrorKind::Unsupported { what: "a shared heap type (shared-everything threads)" },
        byte => ErrorKind::MalformedByte { what: "heap type", byte },
    }
}

fn concrete(r: &Reader<'_>, index: u32, offset: usize) -> Result<HeapType> {
    if index >= limits::TYPES {
        let kind = ErrorKind::UnknownIndex { space: IndexSpace::Type, index, len: limits::TYPES };
        return Err(r.error_at(kind, offset));
    }
    Ok(HeapType::Concrete(TypeIdx(index)))
}

impl fmt::Display for HeapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.row()) {
            (Self::Concrete(index), _) => index.fmt(f),
            (_, Some((_, name))) => f.write_str(name),
            (_, None) => unreachable!("every abstract heap type has a row"),
        }
    }
}

/// A reference type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RefType {
    /// Whether null is among the values.
    pub nullable: bool,
    /// What is referred to.
    pub heap: HeapType,
}

impl RefType {
    /// Reads a reference type.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedByte`] and the reader's.
    pub fn read(r: &mut Reader<'_>) -> Result<Self> {
        let offset = r.offset();
        match ValType::read(r)?.as_ref_type() {
            Some(ty) => Ok(ty),
            None => {
                let byte = r.since(offset).first().copied().unwrap_or(0);
                Err(r.error_at(ErrorKind::MalformedByte { what: "reference type", byte }, offset))
            }
        }
    }
}

impl fmt::Display for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ValType::reference(*self).fmt(f)
    }
}

/// A value type in four bytes, so that equality is one comparison.
///
/// The low byte is the code in the binary format (0x63 and 0x64 for references); the upper three are the heap
/// type: an index, or 0x80_0000 with the code of an abstract one. Indices stay below 2^20
/// ([`limits::TYPES`]).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct ValType(u32);

const _: () = assert!(limits::TYPES <= 1 << 20, "a type index must fit beside the flag in 24 bits");

const NULLABLE: u8 = 0x63;
const NON_NULL: u8 = 0x64;
const ABSTRACT_FLAG: u32 = 0x80_0000;

const fn abstract_ref(nullable: bool, code: u8) -> ValType {
    let low = if nullable { NULLABLE } else { NON_NULL };
    ValType((ABSTRACT_FLAG | code as u32) << 8 | low as u32)
}

/// A value type taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum ValKind {
    I32,
    I64,
    F32,
    F64,
    V128,
    Ref(RefType),
    /// The type of an operand that unreachable code takes from an empty stack.
    Bottom,
}

impl ValType {
    /// 32-bit integer.
    pub const I32: Self = Self(0x7f);
    /// 64-bit integer.
    pub const I64: Self = Self(0x7e);
    /// 32-bit floating point.
    pub const F32: Self = Self(0x7d);
    /// 64-bit floating point.
    pub const F64: Self = Self(0x7c);
    /// 128-bit vector.
    pub const V128: Self = Self(0x7b);
    /// `(ref null func)`.
    pub const FUNCREF: Self = abstract_ref(true, 0x70);
    /// `(ref null extern)`.
    pub const EXTERNREF: Self = abstract_ref(true, 0x6f);
    /// `(ref null any)`.
    pub const ANYREF: Self = abstract_ref(true, 0x6e);
    /// `(ref null eq)`.
    pub const EQREF: Self = abstract_ref(true, 0x6d);
    /// `(ref null i31)`.
    pub const I31REF: Self = abstract_ref(true, 0x6c);
    /// `(ref null array)`.
    pub const ARRAYREF: Self = abstract_ref(true, 0x6a);
    /// `(ref null exn)`.
    pub const EXNREF: Self = abstract_ref(true, 0x69);
    /// The type of an operand that unreachable code takes from an empty stack; no module can write it.
    pub const BOTTOM: Self = Self(0);
    /// The same, known to be a reference.
    pub const BOTTOM_REF: Self = abstract_ref(false, BOTTOM_CODE);

    /// Makes a reference type.
    #[must_use]
    pub fn reference(ty: RefType) -> Self {
        match (ty.heap, ty.heap.row()) {
            (HeapType::Concrete(index), _) => {
                let low = if ty.nullable { NULLABLE } else { NON_NULL };
                Self(index.0 << 8 | u32::from(low))
            }
            (_, Some((code, _))) => abstract_ref(ty.nullable, code),
            (_, None) => unreachable!("every abstract heap type has a row"),
        }
    }

    /// Takes the type apart.
    #[must_use]
    pub fn kind(self) -> ValKind {
        match self {
            Self::I32 => ValKind::I32,
            Self::I64 => ValKind::I64,
            Self::F32 => ValKind::F32,
            Self::F64 => ValKind::F64,
            Self::V128 => ValKind::V128,
            Self::BOTTOM => ValKind::Bottom,
            _ => ValKind::Ref(self.decode_ref()),
        }
    }

    fn decode_ref(self) -> RefType {
        let heap = self.0 >> 8;
        let heap = if heap & ABSTRACT_FLAG != 0 {
            match HeapType::from_code((heap & 0xff) as u8) {
                Some((heap, _)) => heap,
                None => unreachable!("a packed reference holds a known heap type"),
            }
        } else {
            HeapType::Concrete(TypeIdx(heap))
        };
        RefType { nullable: self.is_nullable(), heap }
    }

    /// Returns the reference type, `None` for numbers and vectors.
    #[must_use]
    pub fn as_ref_type(self) -> Option<RefType> {
        self.is_ref().then(|| self.decode_ref())
    }

    /// Returns whether the type is a reference type.
    #[inline]
    #[must_use]
    pub const fn is_ref(self) -> bool {
        matches!((self.0 & 0xff) as u8, NULLABLE | NON_NULL)
    }

    const fn is_nullable(self) -> bool {
        (self.0 & 0xff) as u8 == NULLABLE
    }

    /// Returns the index of the concrete heap type of a reference.
    #[inline]
    #[must_use]
    pub fn concrete(self) -> Option<TypeIdx> {
        (self.is_ref() && self.0 >> 8 & ABSTRACT_FLAG == 0).then_some(TypeIdx(self.0 >> 8))
    }

    /// Returns whether a local of the type has a value before it is set ("defaultable").
    #[inline]
    #[must_use]
    pub const fn is_defaultable(self) -> bool {
        (self.0 & 0xff) as u8 != NON_NULL
    }

    /// Returns the reference type without null.
    #[must_use]
    pub const fn without_null(self) -> Self {
        if self.is_nullable() { Self(self.0 & !0xff | NON_NULL as u32) } else { self }
    }

    /// Returns the reference type with null.
    #[must_use]
    pub const fn with_null(self) -> Self {
        if self.is_ref() { Self(self.0 & !0xff | NULLABLE as u32) } else { self }
    }

    /// Returns the packed form: equal exactly for equal types, and no promise beyond that.
    #[inline]
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Returns how many bytes a value occupies on the operand stack in promise P6: 16 for a vector, else 8.
    #[inline]
    #[must_use]
    pub const fn slot_bytes(self) -> u32 {
        if self.0 == Self::V128.0 { 16 } else { 8 }
    }

    /// Reads a value type.
    ///
    /// # Errors
    /// [`ErrorKind::MalformedByte`] and the reader's.
    pub fn read(r: &mut Reader<'_>) -> Result<Self> {
        let offset = r.offset();
        let byte = r.byte()?;
        match byte {
            0x7c..=0x7f => Ok(Self(u32::from(byte))),
            0x7b => {
                r.require(Feature::Simd, offset)?;
                Ok(Self::V128)
            }
            NULLABLE | NON_NULL => {
                r.require(Feature::ReferenceTypes, offset)?;
                r.require(Feature::FunctionReferences, offset)?;
                let heap = HeapType::read(r)?;
                Ok(Self::reference(RefType { nullable: byte == NULLABLE, heap }))
            }
            _ => match HeapType::from_code(byte).filter(|_| byte != BOTTOM_CODE) {
                Some((_, feature)) => {
                    r.require(Feature::ReferenceTypes, offset)?;
                    r.require(feature, offset)?;
                    Ok(abstract_ref(true, byte))
                }
                None => Err(r.error_at(malformed_value(byte), offset)),
            },
        }
    }
}

fn malformed_value(byte: u8) -> ErrorKind {
    match malformed_heap(byte) {
        ErrorKind::MalformedByte { .. } => ErrorKind::MalformedByte { what: "value type", byte },
        other => other,
    }
}

impl fmt::Debug for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            ValKind::I32 => f.write_str("i32"),
            ValKind::I64 => f.write_str("i64"),
            ValKind::F32 => f.write_str("f32"),
            ValKind::F64 => f.write_str("f64"),
            ValKind::V128 => f.write_str("v128"),
            ValKind::Bottom => f.write_str("any type"),
            ValKind::Ref(RefType { nullable: true, heap }) => match heap {
                HeapType::Concrete(index) => write!(f, "(ref null {index})"),
                HeapType::None => f.write_str("nullref"),
                HeapType::NoFunc => f.write_str("nullfuncref"),
                HeapType::NoExtern => f.write_str("nullexternref"),
                HeapType::NoExn => f.write_str("nullexnref"),
                heap => write!(f, "{heap}ref"),
            },
            ValKind::Ref(RefType { nullable: false, heap }) => write!(f, "(ref {heap})"),
        }
    }
}

/// The type of a field or an array element: a value type or a packed one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct StorageType(u32);

impl StorageType {
    /// 8-bit integer.
    pub const I8: Self = Self(0x78);
    /// 16-bit integer.
    pub const I16: Self = Self(0x77);

    /// Makes the storage type of a value type.
    #[must_use]
    pub const fn val(ty: ValType) -> Self {
        Self(ty.0)
    }

    /// Returns whether the type is `i8` or `i16`.
    #[must_use]
    pub const fn is_packed(self) -> bool {
        matches!(self, Self::I8 | Self::I16)
    }

    /// Returns the value type; `None` for a packed one.
    #[must_use]
    pub fn as_val(self) -> Option<ValType> {
        (!self.is_packed()).then_some(ValType(self.0))
    }

    /// Returns the type of the value on the operand stack: `i32` for a packed one.
    #[must_use]
    pub const fn unpacked(self) -> ValType {
        if self.is_packed() { ValType::I32 } else { ValType(self.0) }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        match r.peek() {
            Some(0x78 | 0x77) => r.byte().map(|byte| Self(u32::from(byte))),
            _ => ValType::read(r).map(Self::val),
        }
    }
}

impl fmt::Debug for StorageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for StorageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::I8 => f.write_str("i8"),
            Self::I16 => f.write_str("i16"),
            Self(other) => ValType(other).fmt(f),
        }
    }
}

/// A function type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FuncType {
    /// Parameters, then results.
    types: Box<[ValType]>,
    n_params: u32,
}

impl FuncType {
    /// Makes a function type.
    #[must_use]
    pub fn new(params: &[ValType], results: &[ValType]) -> Self {
        let n_params = u32::try_from(params.len()).unwrap_or(u32::MAX);
        Self { types: [params, results].concat().into(), n_params }
    }

    /// Returns the parameter types.
    #[inline]
    #[must_use]
    pub fn params(&self) -> &[ValType] {
        self.types.get(..self.n_params as usize).unwrap_or(&[])
    }

    /// Returns the result types.
    #[inline]
    #[must_use]
    pub fn results(&self) -> &[ValType] {
        self.types.get(self.n_params as usize..).unwrap_or(&[])
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let mut types = r.vector("parameters", limits::PARAMS, 1, ValType::read)?;
        let n_params = u32::try_from(types.len()).unwrap_or(u32::MAX);
        let offset = r.offset();
        let results = r.vector("results", limits::RESULTS, 1, ValType::read)?;
        if results.len() > 1 {
            r.require(Feature::MultiValue, offset)?;
        }
        types.extend(results);
        Ok(Self { types: types.into(), n_params })
    }
}

impl fmt::Display for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(func")?;
        for (word, types) in [("param", self.params()), ("result", self.results())] {
            if !types.is_empty() {
                write!(f, " ({word}")?;
                types.iter().try_for_each(|ty| write!(f, " {ty}"))?;
                f.write_str(")")?;
            }
        }
        f.write_str(")")
    }
}

/// The type of a field of a structure, or of the elements of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FieldType {
    /// What is stored.
    pub storage: StorageType,
    /// Whether it can be set.
    pub mutable: bool,
}

impl FieldType {
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        Ok(Self { storage: StorageType::read(r)?, mutable: read_mutability(r)? })
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mutable { write!(f, "(mut {})", self.storage) } else { self.storage.fmt(f) }
    }
}

/// A composite type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CompositeType {
    /// Functions.
    Func(FuncType),
    /// Structures, by field.
    Struct(Box<[FieldType]>),
    /// Arrays.
    Array(FieldType),
}

impl CompositeType {
    /// Reads what stands behind `code`, the byte at `offset`.
    fn read(r: &mut Reader<'_>, code: u8, offset: usize) -> Result<Self> {
        match code {
            0x60 => FuncType::read(r).map(Self::Func),
            0x5f => {
                r.require(Feature::Gc, offset)?;
                let fields = r.vector("fields", limits::STRUCT_FIELDS, 2, FieldType::read)?;
                Ok(Self::Struct(fields.into()))
            }
            0x5e => {
                r.require(Feature::Gc, offset)?;
                FieldType::read(r).map(Self::Array)
            }
            0x5d => Err(
                r.error_at(ErrorKind::Unsupported { what: "stack switching (a continuation type)" }, offset)
            ),
            0x4d | 0x4c => Err(r.error_at(ErrorKind::Unsupported { what: "a custom descriptor" }, offset)),
            0x65 => Err(r.error_at(
                ErrorKind::Unsupported { what: "a shared composite type (shared-everything threads)" },
                offset,
            )),
            byte => Err(r.error_at(ErrorKind::MalformedByte { what: "type form", byte }, offset)),
        }
    }
}

impl fmt::Display for CompositeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Func(ty) => ty.fmt(f),
            Self::Array(element) => write!(f, "(array {element})"),
            Self::Struct(fields) => {
                f.write_str("(struct")?;
                fields.iter().try_for_each(|field| write!(f, " (field {field})"))?;
                f.write_str(")")
            }
        }
    }
}

/// A type of the type section, with its place in the hierarchy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SubType {
    /// Whether no type may extend it.
    pub is_final: bool,
    /// The type that it extends.
    pub supertype: Option<TypeIdx>,
    /// What it is.
    pub composite: CompositeType,
    /// Absolute byte offset.
    pub offset: u32,
}

impl SubType {
    /// Reads a type of a recursive group.
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self> {
        let start = r.offset();
        let code = r.byte()?;
        let (is_final, supertype, form, offset) = match code {
            0x50 | 0x4f => {
                r.require(Feature::Gc, start)?;
                let supers = r.vector("supertypes", 1, 1, |r| {
                    let offset = r.offset();
                    let index = r.var_u32()?;
                    concrete(r, index, offset).map(|_| TypeIdx(index))
                })?;
                let offset = r.offset();
                (code == 0x4f, supers.first().copied(), r.byte()?, offset)
            }
            form => (true, None, form, start),
        };
        let composite = CompositeType::read(r, form, offset)?;
        Ok(Self { is_final, supertype, composite, offset: u32::try_from(start).unwrap_or(u32::MAX) })
    }

    /// Returns the function type; `None` for structures and arrays.
    #[inline]
    #[must_use]
    pub const fn func(&self) -> Option<&FuncType> {
        match &self.composite {
            CompositeType::Func(ty) => Some(ty),
            _ => None,
        }
    }
}

/// The type of a block: what its label's instructions take and leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockType {
    /// Nothing, nothing.
    Empty,
    /// Nothing, one value.
    Value(ValType),
    /// As the function type at the index.
    Type(TypeIdx),
}

impl BlockType {
    /// Reads a block type.
    #[inline]
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self> {
        if r.peek() == Some(0x40) {
            r.byte()?;
            return Ok(Self::Empty);
        }
        Self::read_type(r)
    }

    fn read_type(r: &mut Reader<'_>) -> Result<Self> {
        let offset = r.offset();
        // A block type is a signed 33-bit integer: one byte with bit 6 set is a negative one, a value type.
        if r.peek().is_some_and(|byte| byte & 0xc0 == 0x40) {
            return ValType::read(r).map(Self::Value);
        }
        let value = r.var_s33()?;
        r.require(Feature::MultiValue, offset)?;
        match u32::try_from(value) {
            Ok(index) => Ok(Self::Type(TypeIdx(index))),
            Err(_) => {
                let byte = r.since(offset).first().copied().unwrap_or(0);
                Err(r.error_at(ErrorKind::MalformedByte { what: "block type", byte }, offset))
            }
        }
    }
}

/// Type of the addresses of a memory, or of the indices of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressType {
    /// 32 bits.
    I32,
    /// 64 bits.
    I64,
}

impl AddressType {
    /// Returns the value type.
    #[inline]
    #[must_use]
    pub const fn val(self) -> ValType {
        match self {
            Self::I32 => ValType::I32,
            Self::I64 => ValType::I64,
        }
    }

    /// Returns the smaller of two, as `memory.copy` needs it for its length.
    #[must_use]
    pub const fn min(self, other: Self) -> Self {
        match (self, other) {
            (Self::I64, Self::I64) => Self::I64,
            _ => Self::I32,
        }
    }
}

/// The least and the largest size of a memory (in pages) or a table (in elements).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Size at instantiation.
    pub min: u64,
    /// Size beyond which it does not grow.
    pub max: Option<u64>,
}

impl Limits {
    fn read(r: &mut Reader<'_>, has_max: bool, address: AddressType) -> Result<Self> {
        // With memory64 every bound is an integer of 64 bits; what 32-bit addresses allow is a rule of validation.
        let wide = address == AddressType::I64 || r.features().contains(Feature::Memory64);
        let bound = |r: &mut Reader<'_>| if wide { r.var_u64() } else { r.var_u32().map(u64::from) };
        let min = bound(r)?;
        let max = if has_max { Some(bound(r)?) } else { None };
        Ok(Self { min, max })
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.min)?;
        self.max.map_or(Ok(()), |max| write!(f, " {max}"))
    }
}

/// The type of a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemoryType {
    /// Type of its addresses.
    pub address: AddressType,
    /// Size in pages.
    pub limits: Limits,
    /// Whether threads share it.
    pub shared: bool,
    /// Binary logarithm of the page size in bytes: 16, or 0 by custom-page-sizes.
    pub page_size_log2: u32,
}

impl MemoryType {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self> {
        let offset = r.offset();
        let flags = r.byte()?;
        if flags & !0x0f != 0 {
            return Err(r.error_at(ErrorKind::MalformedByte { what: "limits flags", byte: flags }, offset));
        }
        for (bit, feature) in
            [(0x02, Feature::Threads), (0x04, Feature::Memory64), (0x08, Feature::CustomPageSizes)]
        {
            if flags & bit != 0 {
                r.require(feature, offset)?;
            }
        }
        let address = if flags & 0x04 != 0 { AddressType::I64 } else { AddressType::I32 };
        let limits = Limits::read(r, flags & 0x01 != 0, address)?;
        let page_size_log2 = if flags & 0x08 != 0 { r.var_u32()? } else { 16 };
        Ok(Self { address, limits, shared: flags & 0x02 != 0, page_size_log2 })
    }
}

impl fmt::Display for MemoryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.address == AddressType::I64 {
            f.write_str("i64 ")?;
        }
        self.limits.fmt(f)?;
        if self.shared {
            f.write_str(" shared")?;
        }
        if self.page_size_log2 != 16 {
            write!(f, " (pagesize {})", 1_u64.checked_shl(self.page_size_log2).unwrap_or(u64::MAX))?;
        }
        Ok(())
    }
}

/// The type of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableType {
    /// Type of its indices.
    pub address: AddressType,
    /// Size in elements.
    pub limits: Limits,
    /// Type of its elements, a reference type.
    pub element: ValType,
}

impl TableType {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self> {
        let offset = r.offset();
        // A table of functions is as old as the first release; any other element type is not.
        let element = if r.peek() == Some(0x70) {
            r.byte()?;
            ValType::FUNCREF
        } else {
            let ty = RefType::read(r)?;
            r.require(Feature::ReferenceTypes, offset)?;
            ValType::reference(ty)
        };
        let offset = r.offset();
        let flags = r.byte()?;
        if flags & !0x05 != 0 {
            return Err(r.error_at(ErrorKind::MalformedByte { what: "limits flags", byte: flags }, offset));
        }
        let address = if flags & 0x04 != 0 {
            r.require(Feature::Memory64, offset)?;
            AddressType::I64
        } else {
            AddressType::I32
        };
        Ok(Self { address, limits: Limits::read(r, flags & 0x01 != 0, address)?, element })
    }
}

impl fmt::Display for TableType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.address == AddressType::I64 {
            f.write_str("i64 ")?;
        }
        write!(f, "{} {}", self.limits, self.element)
    }
}

/// The type of a global.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GlobalType {
    /// Type of its value.
    pub value: ValType,
    /// Whether it can be set.
    pub mutable: bool,
}

impl GlobalType {
    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self> {
        Ok(Self { value: ValType::read(r)?, mutable: read_mutability(r)? })
    }
}

impl fmt::Display for GlobalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mutable { write!(f, "(mut {})", self.value) } else { self.value.fmt(f) }
    }
}

fn read_mutability(r: &mut Reader<'_>) -> Result<bool> {
    let offset = r.offset();
    match r.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        byte => Err(r.error_at(ErrorKind::MalformedByte { what: "mutability", byte }, offset)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_reference_is_what_was_packed() {
        let heaps = ABSTRACT.iter().map(|row| row.0).chain([HeapType::Concrete(TypeIdx(limits::TYPES - 1))]);
        for heap in heaps {
            for nullable in [false, true] {
                let ty = RefType { nullable, heap };
                let packed = ValType::reference(ty);
                assert_eq!(packed.kind(), ValKind::Ref(ty));
                assert_eq!(packed.is_defaultable(), nullable);
                assert_eq!(packed.with_null(), ValType::reference(RefType { nullable: true, heap }));
                assert_eq!(packed.without_null(), ValType::reference(RefType { nullable: false, heap }));
            }
        }
        assert_eq!(ValType::FUNCREF.to_string(), "funcref");
        assert_eq!(ValType::EXNREF.without_null().to_string(), "(ref exn)");
    }
}
