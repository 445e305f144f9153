//! Code that outlives the process: what `wasmos compile` writes, and what a cache holds.
//!
//! ```text
//!   0   8  magic
//!   8  32  MAC of all that follows: BLAKE3 with a key of the installation
//!  40   4  version of this format             numbers are little-endian
//!  44   4  length of the head, in bytes
//!  48   8  length of the module, in bytes; 0 if it is not in the file
//!  56   8  length of the payload, in bytes
//!  64  32  SHA-256 of the module
//!  96      head: what the code was made by and for, and how the payload is divided (postcard)
//!          the module
//!          zeros up to a multiple of the page
//!          payload, see `code`
//! ```
//!
//! Code that is run is trusted, so nothing of a file is believed before its MAC is right: then it is what this
//! installation wrote. What it was written for must be what is wanted now, all of it: build, platform, processor, settings, module.
//! Else it is refused, and the module is compiled again. The module in a file is no more trusted than any other:
//! whoever takes it decodes and validates it.

use std::io::{self, Read};
use std::sync::OnceLock;

use cranelift_codegen::isa::TargetIsa;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wasmos_frontend::Module;

use super::code::{Compiled, Plan};
use super::{Bounds, Charges, Error, Options};
use crate::vm::image::{Image, PAGE_BYTES};

const MAGIC: [u8; 8] = *b"\x89wcode\r\n";
const VERSION: u32 = 1;
const MAC_AT: usize = MAGIC.len();
const FIXED_AT: usize = MAC_AT + 32;
const HEAD_AT: usize = 96;
/// What the sources were that this program was built from: displacements and charges stand in code as numbers.
const BUILD: &str = env!("WASMOS_CODE_BUILD");

/// SHA-256 of a module.
pub type ModuleHash = [u8; 32];

/// The key of an installation, by which it knows its artifacts.
#[derive(Clone)]
pub struct MacKey([u8; 32]);

impl MacKey {
    /// How long a key is.
    pub const BYTES: usize = 32;

    /// Makes a key of bytes that nobody else knows.
    #[must_use]
    pub const fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    fn mac(&self, bytes: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update_rayon(bytes);
        hasher.finalize()
    }
}

impl core::fmt::Debug for MacKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("MacKey")
    }
}

/// Why an artifact is not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It does not begin as one.
    #[error("it is no artifact")]
    Foreign,
    /// It has not the length that it says.
    #[error("it is cut off, or something follows it")]
    Length,
    /// The MAC is wrong.
    #[error("this installation has not written it, or it has been changed since")]
    Mac,
    /// The MAC is right, and the rest makes no sense.
    #[error("it makes no sense")]
    Malformed,
    /// It is of another version or build of wasmos.
    #[error("another build of wasmos has written it")]
    Build,
    /// It is for another platform or processor.
    #[error("it is for {platform} with {features}")]
    Platform {
        /// The target triple.
        platform: String,
        /// Features of the processor, by Cranelift's names.
        features: String,
    },
    /// It was compiled with other settings.
    #[error("it was compiled with other settings ({0})")]
    Settings(Settings),
    /// It is of another module.
    #[error("it is of another module")]
    Module,
    /// The module in it is not the one whose hash is there.
    #[error("the module in it is damaged")]
    ModuleHash,
    /// There is no module in it.
    #[error("there is no module in it")]
    NoModule,
    /// The system has no executable memory for it, or there is no native code on this platform.
    #[error("{0}")]
    System(String),
}

/// The settings that code depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    bounds: Bounds,
    canonical_nans: bool,
    charges: Charges,
}

impl Settings {
    fn of(options: Options) -> Self {
        // Each field by its name: a new one is a question whether code depends on it.
        let Options { bounds, canonical_nans, charges, verifies: _ } = options;
        Self { bounds, canonical_nans, charges }
    }

    /// Returns options with these settings.
    #[must_use]
    pub const fn options(self) -> Options {
        let Self { bounds, canonical_nans, charges } = self;
        Options { bounds, canonical_nans, charges, verifies: false }
    }
}

impl core::fmt::Display for Settings {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let bounds = match self.bounds {
            Bounds::Guard => "guard",
            Bounds::Explicit => "explicit",
            Bounds::Both => "both",
        };
        let nan = if self.canonical_nans { "canonical" } else { "native" };
        write!(f, "--bounds {bounds} --nan {nan}")
    }
}

/// What code was made by and for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Target {
    build: String,
    platform: String,
    features: String,
    settings: Settings,
}

impl Target {
    fn of(options: Options) -> Result<Self, Error> {
        static HOST: OnceLock<(String, String)> = OnceLock::new();
        let (platform, features) = match HOST.get() {
            Some(host) => host.clone(),
            None => {
                let host = describe(&*super::compile::target(Options::default(), "none")?);
                HOST.get_or_init(|| host).clone()
            }
        };
        Ok(Self { build: BUILD.to_owned(), platform, features, settings: Settings::of(options) })
    }

    /// Says why code for `self` is not what is wanted.
    fn check(&self, wanted: &Self) -> Result<(), Refusal> {
        if self.build != wanted.build {
            return Err(Refusal::Build);
        }
        if (&self.platform, &self.features) != (&wanted.platform, &wanted.features) {
            let (platform, features) = (self.platform.clone(), self.features.clone());
            return Err(Refusal::Platform { platform, features });
        }
        if self.settings == wanted.settings { Ok(()) } else { Err(Refusal::Settings(self.settings)) }
    }
}

/// Returns the target's triple, and the features of the processor that code may use.
fn describe(isa: &dyn TargetIsa) -> (String, String) {
    let flags = isa.isa_flags();
    let features: Vec<_> =
        flags.iter().filter(|flag| flag.as_bool() == Some(true)).map(|flag| flag.name).collect();
    (isa.triple().to_string(), features.join(" "))
}

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    target: Target,
    plan: Plan,
}

/// Returns the hash by which a module is known.
#[must_use]
pub fn hash_module(bytes: &[u8]) -> ModuleHash {
    Sha256::digest(bytes).into()
}

/// Returns a name for the code of a module: what is compiled otherwise, or by another build, has another one.
///
/// # Errors
/// [`Error::Platform`].
pub fn name(module: &ModuleHash, options: Options) -> Result<String, Error> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(module);
    hasher.update(&encode(&Target::of(options)?));
    Ok(hasher.finalize().to_hex().to_string())
}

fn encode(value: &impl Serialize) -> Vec<u8> {
    match postcard::to_stdvec(value) {
        Ok(bytes) => bytes,
        Err(error) => unreachable!("a vector takes every byte: {error}"),
    }
}

/// Writes an artifact, with the module in it if `module` has its bytes.
pub(crate) fn write(
    compiled: &Compiled,
    (hash, module): (&ModuleHash, Option<&[u8]>),
    key: &MacKey,
) -> Result<Vec<u8>, Error> {
    let head = encode(&Head { target: Target::of(compiled.options)?, plan: compiled.plan.clone() });
    let module = module.unwrap_or_default();
    let payload = compiled.payload();
    let payload_at = (HEAD_AT + head.len() + module.len()).next_multiple_of(PAGE_BYTES);
    let mut bytes = Vec::with_capacity(payload_at + payload.len());
    bytes.extend(MAGIC);
    bytes.extend([0; 32]);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend((head.len() as u32).to_le_bytes());
    bytes.extend((module.len() as u64).to_le_bytes());
    bytes.extend((payload.len() as u64).to_le_bytes());
    bytes.extend(hash);
    bytes.extend(head);
    bytes.extend(module);
    bytes.resize(payload_at, 0);
    bytes.extend(&payload);
    let mac = key.mac(&bytes[FIXED_AT..]);
    bytes[MAC_AT..FIXED_AT].copy_from_slice(mac.as_bytes());
    Ok(bytes)
}

/// What stands at fixed places, and where the rest lies.
#[derive(Debug, PartialEq, Eq)]
struct Fixed {
    version: u32,
    head: core::ops::Range<usize>,
    module: core::ops::Range<usize>,
    payload_at: usize,
    hash: ModuleHash,
}

impl Fixed {
    /// Reads it of a file that has its whole length.
    fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        if !is_artifact(bytes) {
            return Err(Refusal::Foreign);
        }
        let mut rest = bytes.get(FIXED_AT..).ok_or(Refusal::Length)?;
        let (version, head_len) =
            (u32::from_le_bytes(take(&mut rest)?), u32::from_le_bytes(take(&mut rest)?));
        let (module_len, payload_len) =
            (u64::from_le_bytes(take(&mut rest)?), u64::from_le_bytes(take(&mut rest)?));
        let hash = take(&mut rest)?;
        let end = |start: usize, len: u64| start.checked_add(usize::try_from(len).ok()?);
        let lie = || {
            let head_end = end(HEAD_AT, head_len.into())?;
            let module_end = end(head_end, module_len)?;
            let payload_at = module_end.checked_next_multiple_of(PAGE_BYTES)?;
            (end(payload_at, payload_len)? == bytes.len()).then_some(Self {
                version,
                head: HEAD_AT..head_end,
                module: head_end..module_end,
                payload_at,
                hash,
            })
        };
        lie().ok_or(Refusal::Length)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Refusal> {
    let (first, behind) = rest.split_first_chunk().ok_or(Refusal::Length)?;
    *rest = behind;
    Ok(*first)
}

/// Returns whether a file that begins so says that it is an artifact.
#[must_use]
pub fn is_artifact(head: &[u8]) -> bool {
    head.starts_with(&MAGIC)
}

/// A file that may be an artifact, in memory. Nothing of it has been believed.
#[derive(Debug)]
pub struct Artifact(Image);

impl Artifact {
    /// Reads a file of `len_bytes` bytes.
    ///
    /// # Errors
    /// What the system or the reader says, also if there are fewer.
    pub fn read(from: &mut dyn Read, len_bytes: usize) -> io::Result<Self> {
        Image::read(from, len_bytes).map(Self)
    }

    /// Returns the module in it, which nobody has checked: it is as untrusted as any other.
    ///
    /// # Errors
    /// If there is none, or it is not the one that was put there.
    pub fn module(&self) -> Result<&[u8], Refusal> {
        let fixed = Fixed::read(self.0.bytes())?;
        let module = &self.0.bytes()[fixed.module];
        if module.is_empty() {
            return Err(Refusal::NoModule);
        }
        if hash_module(module) == fixed.hash { Ok(module) } else { Err(Refusal::ModuleHash) }
    }

    /// Believes the file if this installation has written it.
    ///
    /// # Errors
    /// [`Refusal`], with the file.
    pub fn authenticate(self, key: &MacKey) -> Result<Authentic, (Refusal, Self)> {
        match check(self.0.bytes(), key) {
            Ok((fixed, head)) => Ok(Authentic { image: self.0, fixed, head }),
            Err(refusal) => Err((refusal, self)),
        }
    }
}

fn check(bytes: &[u8], key: &MacKey) -> Result<(Fixed, Head), Refusal> {
    if !is_artifact(bytes) {
        return Err(Refusal::Foreign);
    }
    let (Some(mac), Some(rest)) = (bytes.get(MAC_AT..FIXED_AT), bytes.get(FIXED_AT..)) else {
        return Err(Refusal::Length);
    };
    // The comparison takes the same time wherever the two differ.
    if key.mac(rest) != *<&[u8; 32]>::try_from(mac).map_err(|_| Refusal::Length)? {
        // What was cut off is told apart: that is no attack.
        return Err(Fixed::read(bytes).err().unwrap_or(Refusal::Mac));
    }
    let fixed = Fixed::read(bytes)?;
    if fixed.version != VERSION {
        return Err(Refusal::Build);
    }
    let head: Head = postcard::from_bytes(&bytes[fixed.head.clone()]).map_err(|_| Refusal::Malformed)?;
    Ok((fixed, head))
}

/// An artifact that this installation has written.
#[derive(Debug)]
pub struct Authentic {
    image: Image,
    fixed: Fixed,
    head: Head,
}

impl Authentic {
    /// Returns what it was compiled with.
    #[must_use]
    pub const fn settings(&self) -> Settings {
        self.head.target.settings
    }

    /// Returns the module in it, if there is one.
    #[must_use]
    pub fn module(&self) -> Option<&[u8]> {
        Some(&self.image.bytes()[self.fixed.module.clone()]).filter(|bytes| !bytes.is_empty())
    }

    /// Makes code of it, for a module with this hash.
    ///
    /// # Errors
    /// [`Refusal`]: it is for another build, platform, processor, module, or was compiled with other settings.
    pub(crate) fn into_code(
        self,
        (module, hash): (&Module, &ModuleHash),
        options: Options,
    ) -> Result<Compiled, Refusal> {
        let Self { image, fixed, head: Head { target, plan } } = self;
        let wanted = Target::of(options).map_err(|error| Refusal::System(error.to_string()))?;
        target.check(&wanted)?;
        let counts = (plan.n_imported, plan.n_funcs as usize);
        if fixed.hash != *hash || counts != (module.n_imported_funcs, module.bodies.len()) {
            return Err(Refusal::Module);
        }
        let compiled = Compiled::new(image, fixed.payload_at, plan, options).ok_or(Refusal::Malformed)?;
        compiled.map_err(|error| Refusal::System(error.to_string()))
    }
}

#[cfg(test)]
mod tests;
