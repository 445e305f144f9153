//! Why a module was refused, and where: data first, the sentence last.

use core::fmt;

use crate::features::Feature;
use crate::module::SectionId;
use crate::types::{FuncIdx, ValType};

/// Result of the frontend.
pub type Result<T> = core::result::Result<T, Error>;

/// Why a module was refused, and where.
///
/// The data is boxed so that the path on which nothing is wrong carries one pointer.
#[derive(Debug, PartialEq, Eq)]
pub struct Error(Box<ErrorData>);

/// The fields of an [`Error`].
#[derive(Debug, PartialEq, Eq)]
pub struct ErrorData {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Absolute byte offset in the module.
    pub offset: u32,
    /// What was being read, e.g. `the memory section`.
    pub context: &'static str,
    /// The function whose body is at fault.
    pub function: Option<FuncIdx>,
    /// That function's name in the `name` section, as the module has it: untrusted text.
    pub function_name: Option<String>,
}

impl Error {
    /// Makes an error; `offset` is absolute and saturates (a module is shorter than 4 GiB).
    #[cold]
    #[must_use]
    pub fn new(kind: ErrorKind, offset: usize, context: &'static str) -> Self {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        Self(Box::new(ErrorData { kind, offset, context, function: None, function_name: None }))
    }

    #[must_use]
    pub(crate) fn in_function(mut self, function: FuncIdx, name: Option<String>) -> Self {
        self.0.function = Some(function);
        self.0.function_name = name;
        self
    }
}

impl core::ops::Deref for Error {
    type Target = ErrorData;

    fn deref(&self) -> &ErrorData {
        &self.0
    }
}

impl core::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at offset {:#x}", self.kind, self.offset)?;
        if let Some(function) = self.function {
            write!(f, ", function {}", function.0)?;
        }
        if let Some(name) = &self.function_name {
            write!(f, " <{}>", name.escape_debug())?;
        }
        write!(f, ", while reading {})", self.context)
    }
}

/// What family an [`ErrorKind`] belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The bytes are not a module.
    Malformed,
    /// The module breaks a rule of validation.
    Invalid,
    /// The module is of a feature that is switched off or not built.
    Unsupported,
    /// The module is over a limit of the implementation.
    Limit,
}

impl ErrorClass {
    /// Returns the class as one word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Invalid => "invalid",
            Self::Unsupported => "unsupported",
            Self::Limit => "limit",
        }
    }
}

/// An index space of the specification ("Indices").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum IndexSpace {
    Type,
    Function,
    Table,
    Memory,
    Global,
    Tag,
    Element,
    Data,
    Local,
    Label,
    Field,
}

impl IndexSpace {
    const fn noun(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Function => "function",
            Self::Table => "table",
            Self::Memory => "memory",
            Self::Global => "global",
            Self::Tag => "tag",
            Self::Element => "elem segment",
            Self::Data => "data segment",
            Self::Local => "local",
            Self::Label => "label",
            Self::Field => "field",
        }
    }
}

/// What a file is that is not a WebAssembly module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Foreign {
    /// No bytes at all.
    Empty,
    /// A component (layer 1 of the binary format).
    Component,
    /// Compressed by gzip.
    Gzip,
    /// Compressed by zstd.
    Zstd,
    /// A zip archive (also JAR and wheel files).
    Zip,
    /// An ELF object or executable.
    Elf,
    /// A Windows executable.
    Pe,
    /// A Mach-O object or executable.
    MachO,
    /// A PDF document.
    Pdf,
    /// LLVM bitcode.
    LlvmBitcode,
    /// WebAssembly text, which has to be assembled first.
    WasmText,
    /// Some other text.
    Text,
    /// None of these.
    Unknown,
}

impl Foreign {
    /// Says what the file is, and what would help.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Empty => "the file is empty",
            Self::Component => {
                "the file is a WebAssembly component, not a core module; components are not supported"
            }
            Self::Gzip => "the file is compressed by gzip; decompress it first",
            Self::Zstd => "the file is compressed by zstd; decompress it first",
            Self::Zip => "the file is a zip archive; unpack it first",
            Self::Elf => "the file is an ELF binary, not WebAssembly",
            Self::Pe => "the file is a Windows executable, not WebAssembly",
            Self::MachO => "the file is a Mach-O binary, not WebAssembly",
            Self::Pdf => "the file is a PDF document, not WebAssembly",
            Self::LlvmBitcode => "the file is LLVM bitcode; link it to a module first",
            Self::WasmText => "the file is WebAssembly text; assemble it, or name it .wat",
            Self::Text => "the file is text, not WebAssembly",
            Self::Unknown => "the first four bytes are not those of a module",
        }
    }
}

/// The type found where another was expected; `None` stands for an empty operand stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Found(pub Option<ValType>);

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(ty) => ty.fmt(f),
            None => f.write_str("nothing on the stack"),
        }
    }
}

/// What is wrong, with the operands that make it so.
///
/// Where the official test suite has a sentence for a case, ours begins with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the sentence on each kind says what the fields are")]
pub enum ErrorKind {
    // The bytes are not a module.
    #[error("magic header not detected: {}", .0.describe())]
    NotAModule(Foreign),
    #[error("unknown binary version: {version}")]
    UnknownVersion { version: u32 },
    #[error("unexpected end")]
    UnexpectedEnd,
    #[error("length out of bounds: {len} bytes are declared, {left} are left")]
    LengthOutOfBounds { len: u32, left: u32 },
    #[error("integer representation too long")]
    IntegerTooLong,
    #[error("integer too large")]
    IntegerTooLarge,
    #[error("malformed UTF-8 encoding")]
    MalformedUtf8,
    #[error("malformed section id {id}")]
    UnknownSection { id: u8 },
    #[error("unexpected content after last section: {section} section after {after} section")]
    SectionOrder { section: SectionId, after: SectionId },
    #[error("section size mismatch: {left} bytes after the last item")]
    SectionSizeMismatch { left: u32 },
    #[error("malformed {what} {byte:#04x}")]
    MalformedByte { what: &'static str, byte: u8 },
    #[error("illegal opcode {code:#x}")]
    IllegalOpcode { code: u32 },
    #[error("zero byte expected, found {byte:#04x}")]
    ZeroByteExpected { byte: u8 },
    #[error("function and code section have inconsistent lengths: {functions} functions, {bodies} bodies")]
    FunctionBodyCount { functions: u32, bodies: u32 },
    #[error(
        "data count and data section have inconsistent lengths: {declared} declared, {segments} segments"
    )]
    DataCountMismatch { declared: u32, segments: u32 },
    #[error("data count section required")]
    DataCountRequired,
    #[error("END opcode expected: the body has {left} bytes after its end")]
    BytesAfterEnd { left: u32 },
    #[error("END opcode expected: {open} blocks are open")]
    EndExpected { open: u32 },
    #[error("`{op}` without its opening instruction")]
    Misplaced { op: &'static str },

    // Not built, or switched off.
    #[error("{what} is not supported")]
    Unsupported { what: &'static str },
    #[error("feature `{0}` is switched off")]
    FeatureDisabled(Feature),

    // Over a limit.
    #[error("too many {what}: {count}, the limit is {limit}")]
    TooMany { what: &'static str, count: u64, limit: u64 },
    #[error("{what} too large: {len} bytes, the limit is {limit}")]
    TooLarge { what: &'static str, len: u64, limit: u64 },

    // A rule of validation is broken.
    #[error("unknown {} {index}: there are {len}", .space.noun())]
    UnknownIndex { space: IndexSpace, index: u32, len: u32 },
    #[error("type mismatch: expected {expected}, found {found}")]
    TypeMismatch { expected: ValType, found: Found },
    #[error("type mismatch: expected a reference, found {found}")]
    ReferenceExpected { found: Found },
    #[error("type mismatch: `select` without a type takes numbers and vectors, found {found}")]
    SelectReference { found: ValType },
    #[error("type mismatch: the label of `{op}` takes {found} values, {expected} are needed")]
    LabelArity { op: &'static str, expected: u32, found: u32 },
    #[error("type mismatch: {extra} values remain on the stack at the end of the block")]
    ValuesRemain { extra: u32 },
    #[error("type mismatch: `if` without `else` must have the same parameters and results")]
    ElseMissing,
    #[error("type mismatch: type {index} is no {wanted} type")]
    WrongCompositeType { index: u32, wanted: &'static str },
    #[error("type mismatch: tail call of a function whose results differ from the caller's")]
    TailCallResults,
    #[error("type mismatch: {found} does not match the cast's source type {expected}")]
    CastMismatch { expected: ValType, found: ValType },
    #[error("type mismatch: the catch clause does not match its label")]
    CatchMismatch,
    #[error("type mismatch: {what}")]
    IncompatibleTypes { what: &'static str },
    #[error("type mismatch: array element type is {found}, {wanted} is needed")]
    ArrayElement { found: crate::types::StorageType, wanted: &'static str },
    #[error("uninitialized local {index}")]
    UninitializedLocal { index: u32 },
    #[error("invalid result arity: {count} types on a `select`")]
    SelectArity { count: u32 },
    #[error("alignment must not be larger than natural: 2**{align}, the access has {natural} bytes")]
    AlignmentTooLarge { align: u32, natural: u8 },
    #[error("atomic alignment must be natural: 2**{align}, the access has {natural} bytes")]
    AtomicAlignment { align: u32, natural: u8 },
    #[error("invalid lane index {lane}: there are {lanes}")]
    LaneIndex { lane: u8, lanes: u8 },
    #[error("offset out of range: {offset} in a memory with 32-bit addresses")]
    OffsetOutOfRange { offset: u64 },
    #[error("immutable global {index}: global is immutable")]
    ImmutableGlobal { index: u32 },
    #[error("field is immutable: field {field} of type {index}")]
    ImmutableField { index: u32, field: u32 },
    #[error("array is immutable: type {index}")]
    ImmutableArray { index: u32 },
    #[error("packed field needs `_s` or `_u`, any other field neither")]
    PackedAccess,
    #[error("undeclared function reference {index}")]
    UndeclaredReference { index: u32 },
    #[error("constant expression required: `{op}` is not constant")]
    NotConstant { op: &'static str },
    #[error("constant expression required: global {index} is mutable")]
    MutableGlobalInConstant { index: u32 },
    #[error("duplicate export name: export {index} repeats an earlier one")]
    DuplicateExport { index: u32 },
    #[error("start function: type must be without parameters and results")]
    StartType,
    #[error("size minimum must not be greater than maximum: {min} > {max}")]
    LimitsOrder { min: u64, max: u64 },
    #[error("memory size: {pages} pages of 2**{page_size_log2} bytes exceed the address space")]
    MemoryTooLarge { pages: u64, page_size_log2: u32 },
    #[error("table size: {elements} elements exceed the 32-bit indices of the table")]
    TableTooLarge { elements: u64 },
    #[error("shared memory must have maximum")]
    SharedWithoutMaximum,
    #[error("invalid custom page size: 2**{page_size_log2}")]
    InvalidPageSize { page_size_log2: u32 },
    #[error("non-nullable table needs an initializer: {element}")]
    UninitializedTable { element: ValType },
    #[error("non-empty tag result type")]
    TagResults,
    #[error("sub type {index} does not match super type {super_index}")]
    SubtypeMismatch { index: u32, super_index: u32 },
    #[error("sub type {index} extends final type {super_index}")]
    FinalSupertype { index: u32, super_index: u32 },
    #[error("non-defaultable type {index}: a field has no default value")]
    NotDefaultable { index: u32 },
    #[error("`rethrow` outside of a catch")]
    RethrowOutsideCatch,
}

impl ErrorKind {
    /// Returns the family of the kind.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::NotAModule(_)
            | Self::UnknownVersion { .. }
            | Self::UnexpectedEnd
            | Self::LengthOutOfBounds { .. }
            | Self::IntegerTooLong
            | Self::IntegerTooLarge
            | Self::MalformedUtf8
            | Self::UnknownSection { .. }
            | Self::SectionOrder { .. }
            | Self::SectionSizeMismatch { .. }
            | Self::MalformedByte { .. }
            | Self::IllegalOpcode { .. }
            | Self::ZeroByteExpected { .. }
            | Self::FunctionBodyCount { .. }
            | Self::DataCountMismatch { .. }
            | Self::DataCountRequired
            | Self::BytesAfterEnd { .. }
            | Self::EndExpected { .. }
            | Self::Misplaced { .. } => ErrorClass::Malformed,
            Self::Unsupported { .. } | Self::FeatureDisabled(_) => ErrorClass::Unsupported,
            Self::TooMany { .. } | Self::TooLarge { .. } => ErrorClass::Limit,
            _ => ErrorClass::Invalid,
        }
    }
}
