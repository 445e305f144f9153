//! A file becomes the bytes of a module: `.wasm` as it is, text assembled, the one in an artifact, `-` for stdin.
//!
//! Nothing is read that is going to be refused: the first bytes say what a file is, and its size is compared with
//! the limit before the rest is read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use wasmos_frontend::error::{ErrorClass, ErrorKind, Foreign};
use wasmos_frontend::{Features, Module, decode, limits};
use wasmos_runtime::{Artifact, Refusal, is_artifact};
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};

use crate::exit::Exit;
use crate::problem::{Problem, TextError, file_name};

/// Length of a text, in bytes: the assembler needs up to seventy times as much memory.
const TEXT_BYTES: u64 = 16 << 20;
/// Length of an artifact, in bytes: a module, and code several times as large.
const ARTIFACT_BYTES: u64 = 4 << 30;
/// How much is read before the kind of a file is decided: the frontend looks at 512 bytes of it.
const HEAD_BYTES: u64 = 4096;

/// A module's bytes and where they came from.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) origin: Origin,
    /// The bytes, assembled if the file is text.
    pub(crate) bytes: Vec<u8>,
}

impl Input {
    /// Reads a file and assembles it if it is text.
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let name = file_name(path);
        match read_module(path, &name)? {
            Content::Binary(bytes) => Ok(Self { origin: Origin::new(name, Form::Binary), bytes }),
            Content::Text(bytes) => {
                let text = utf8(&name, &bytes)?;
                let bytes = assemble(text).map_err(|error| Problem::of_text(&name, &error))?;
                Ok(Self { origin: Origin::new(name, Form::Text), bytes })
            }
            Content::Artifact(artifact) => {
                let bytes = artifact.module().map(<[u8]>::to_vec);
                let bytes = bytes.map_err(|refusal| no_module(&name, &refusal))?;
                let mut origin = Origin::new(name, Form::Artifact);
                origin.artifact = Some(artifact);
                Ok(Self { origin, bytes })
            }
        }
    }

    /// Decodes the module, of which only `features` are allowed.
    pub(crate) fn decode(self, features: Features) -> Result<(Module, Origin), Problem> {
        match wasmos_frontend::decode_with(self.bytes, features) {
            Ok(module) => Ok((module, self.origin)),
            Err(error) => Err(self.origin.refuse(&error)),
        }
    }
}

/// The file that a module came from.
#[derive(Debug)]
pub(crate) struct Origin {
    /// Name of the file, escaped.
    pub(crate) name: String,
    /// The artifact that the module was in; nothing but the module in it has been looked at.
    pub(crate) artifact: Option<Artifact>,
    form: Form,
}

impl Origin {
    const fn new(name: String, form: Form) -> Self {
        Self { name, artifact: None, form }
    }

    /// Says why the module is refused.
    pub(crate) fn refuse(&self, error: &wasmos_frontend::Error) -> Problem {
        let of = match self.form {
            Form::Binary => "",
            Form::Text => " of the assembled module",
            Form::Artifact => " of the module in the artifact",
        };
        Problem::of_module(&self.name, of, error)
    }
}

/// Reads a specification script.
pub(crate) fn read_script(path: &Path) -> Result<(String, String), Problem> {
    let name = file_name(path);
    let bytes = with_file(path, &name, |reader, len| read_rest(reader, Vec::new(), Form::Text, len))?;
    let text = utf8(&name, &bytes)?.to_owned();
    Ok((name, text))
}

/// Assembles WebAssembly text.
///
/// Characters that are easily confused are allowed: a module may have them in its names, and what shows a name
/// escapes it.
pub(crate) fn assemble(text: &str) -> Result<Vec<u8>, TextError> {
    let assembled = buffer(text).and_then(|buffer| parser::parse::<wast::Wat<'_>>(&buffer)?.encode());
    assembled.map_err(|error| TextError::at(text, error.span().offset(), error.message()))
}

/// Makes the tokens of a text or a script.
pub(crate) fn buffer(text: &str) -> Result<ParseBuffer<'_>, wast::Error> {
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    ParseBuffer::new_with_lexer(lexer)
}

/// What a file is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Binary,
    Text,
    Artifact,
}

/// What a file has in it.
enum Content {
    Binary(Vec<u8>),
    Text(Vec<u8>),
    Artifact(Artifact),
}

/// Says that an artifact has no module that could be run in its place.
fn no_module(name: &str, refusal: &Refusal) -> Problem {
    Problem::new(Exit::Refused, name, format!("malformed artifact: {refusal}"))
        .help("`wasmos compile` makes it again from its module")
}

impl Form {
    const fn limit_bytes(self) -> u64 {
        match self {
            Self::Binary => limits::MODULE_BYTES,
            Self::Text => TEXT_BYTES,
            Self::Artifact => ARTIFACT_BYTES,
        }
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::Binary => "module",
            Self::Text => "text",
            Self::Artifact => "artifact",
        }
    }
}

/// Says what a file is by its first bytes: the frontend knows what is no module. `None` if it is nothing that can
/// be read, however long it is.
fn form(head: &[u8], is_named_text: bool) -> Option<Form> {
    if is_artifact(head) {
        return Some(Form::Artifact);
    }
    match decode(head).err().map(|error| error.kind.clone()) {
        Some(ErrorKind::NotAModule(Foreign::WasmText)) => Some(Form::Text),
        Some(ErrorKind::NotAModule(Foreign::Text | Foreign::Unknown)) if is_named_text => Some(Form::Text),
        Some(ErrorKind::NotAModule(_) | ErrorKind::UnknownVersion { .. }) => None,
        _ => Some(Form::Binary),
    }
}

/// Reads a file that should hold a module, as what it is.
fn read_module(path: &Path, name: &str) -> Result<Content, Problem> {
    let is_named_text = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wat"));
    with_file(path, name, |reader, len| {
        let mut bytes = Vec::new();
        reader.take(HEAD_BYTES).read_to_end(&mut bytes)?;
        match form(&bytes, is_named_text) {
            None => Ok(Ok(Content::Binary(bytes))),
            Some(Form::Artifact) => Ok(read_artifact(reader, bytes, len)?.map(Content::Artifact)),
            Some(Form::Text) => Ok(read_rest(reader, bytes, Form::Text, len)?.map(Content::Text)),
            Some(Form::Binary) => Ok(read_rest(reader, bytes, Form::Binary, len)?.map(Content::Binary)),
        }
    })
}

/// Reads an artifact that begins with `head`, to where it is run, if its length is known.
fn read_artifact(
    reader: &mut dyn Read,
    head: Vec<u8>,
    len: Option<u64>,
) -> io::Result<Result<Artifact, TooLarge>> {
    // A device has the length 0.
    let known = len.filter(|len| *len > head.len() as u64 && *len <= ARTIFACT_BYTES);
    if let Some(len) = known.and_then(|len| usize::try_from(len).ok()) {
        return Artifact::read(&mut head.as_slice().chain(reader), len).map(Ok);
    }
    let bytes = match read_rest(reader, head, Form::Artifact, len)? {
        Ok(bytes) => bytes,
        Err(too_large) => return Ok(Err(too_large)),
    };
    Artifact::read(&mut bytes.as_slice(), bytes.len()).map(Ok)
}

/// A file that is longer than its form may be.
#[derive(Debug)]
struct TooLarge {
    form: Form,
    /// Length in bytes, if the file has one.
    len: Option<u64>,
}

/// Reads what follows `bytes`, of a file of `len` bytes if that is known.
fn read_rest(
    reader: &mut dyn Read,
    mut bytes: Vec<u8>,
    form: Form,
    len: Option<u64>,
) -> io::Result<Result<Vec<u8>, TooLarge>> {
    let limit = form.limit_bytes();
    if len.is_some_and(|len| len > limit) {
        return Ok(Err(TooLarge { form, len }));
    }
    // A device has the length 0, so that the file is read to its end all the same, or to one byte past the limit.
    let left = limit.saturating_sub(bytes.len() as u64).saturating_add(1);
    bytes.reserve_exact(len.unwrap_or(0).min(left).try_into().unwrap_or(0));
    reader.take(left).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Ok(Err(TooLarge { form, len: None }));
    }
    Ok(Ok(bytes))
}

/// Opens a file or stdin and reads it by `read`, which is given the length if there is one.
fn with_file<T>(
    path: &Path,
    name: &str,
    read: impl FnOnce(&mut dyn Read, Option<u64>) -> io::Result<Result<T, TooLarge>>,
) -> Result<T, Problem> {
    let result = if path.as_os_str() == "-" {
        read(&mut io::stdin().lock(), None)
    } else {
        File::open(path).and_then(|mut file| {
            let len = file.metadata().ok().map(|metadata| metadata.len());
            read(&mut file, len)
        })
    };
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(too_large)) => Err(too_large.problem(name)),
        Err(error) => Err(Problem::new(Exit::Usage, name, format!("cannot read: {error}"))),
    }
}

impl TooLarge {
    fn problem(&self, name: &str) -> Problem {
        let Self { form, len } = self;
        let class = ErrorClass::Limit.name();
        let limit = form.limit_bytes();
        let sentence = match *len {
            Some(len) => format!("{class}: {}", ErrorKind::TooLarge { what: form.noun(), len, limit }),
            None => format!("{class}: {} too large: more than {limit} bytes", form.noun()),
        };
        Problem::new(Exit::Refused, name, sentence)
    }
}

fn utf8<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, Problem> {
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let valid = std::str::from_utf8(valid).unwrap_or_default();
        Problem::of_text(name, &TextError::at(valid, valid.len(), ErrorKind::MalformedUtf8.to_string()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_decide_and_the_extension_only_in_doubt() {
        for (head, named_text, expected) in [
            (&b"\0asm\x01\0\0\0"[..], false, Some(Form::Binary)),
            (b"\0asm\x01\0\0\0", true, Some(Form::Binary)),
            (b"\0as", false, Some(Form::Binary)),
            (b"(module)", false, Some(Form::Text)),
            (b" \n;; a comment\n(module)", false, Some(Form::Text)),
            (b"hello", false, None),
            (b"hello", true, Some(Form::Text)),
            (b"\x7fELF", true, None),
            (b"\0asm\x0d\0\x01\0", true, None),
            (b"\0asm\x02\0\0\0", false, None),
            (b"", true, None),
            (b"\x89wcode\r\n", false, Some(Form::Artifact)),
            (b"\x89wcode\n", false, None),
        ] {
            assert_eq!(form(head, named_text), expected, "{head:?}");
        }
    }

    /// Fails the test if more is asked of it than it may give.
    struct Reluctant(u64);

    impl Read for Reluctant {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = buffer.len().min(1 << 16);
            self.0 = self.0.checked_sub(len as u64).expect("too much was read");
            buffer[..len].fill(b'(');
            Ok(len)
        }
    }

    #[test]
    fn a_file_over_the_limit_is_refused_by_its_size() {
        let result = read_rest(&mut Reluctant(0), Vec::new(), Form::Text, Some(TEXT_BYTES + 1));
        let problem = result.expect("nothing was read").expect_err("it is too large").problem("x");
        assert_eq!(problem.exit, Exit::Refused);
        let mut text = Vec::new();
        problem.write(&mut text).expect("a vector takes every byte");
        assert_eq!(
            String::from_utf8(text).expect("messages are UTF-8"),
            "x: error: limit: text too large: 16777217 bytes, the limit is 16777216\n"
        );
    }

    #[test]
    fn a_file_without_a_size_is_read_to_one_byte_past_the_limit() {
        let mut endless = Reluctant(TEXT_BYTES + 1);
        let result = read_rest(&mut endless, Vec::new(), Form::Text, Some(0)).expect("reading works");
        assert!(matches!(result, Err(TooLarge { form: Form::Text, len: None })));
        let mut exact = io::Cursor::new(vec![b'('; usize::try_from(TEXT_BYTES).expect("16 MiB")]);
        let result = read_rest(&mut exact, Vec::new(), Form::Text, None).expect("reading works");
        assert_eq!(result.ok().map(|bytes| bytes.len() as u64), Some(TEXT_BYTES));
    }
}
