//! What validation proves, as types: of one body ([`ValidBody`]), of everything but the bodies ([`LazyModule`]), of a
//! whole module ([`ValidModule`]).
//!
//! The proof of a body is one word: what its frame costs, and the features of its instructions. A body that has been
//! proved is not looked at again, whoever asks; one that breaks a rule is refused each time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rayon::prelude::*;

use crate::error::{Error, ErrorKind, Result};
use crate::features::Features;
use crate::module::{Body, Module, SectionId};
use crate::types::{FuncIdx, TypeIdx, ValType};
use crate::validate::func::FuncValidator;
use crate::validate::types::Matcher;
use crate::validate::{COMPARISONS, Comparisons, Context};

/// A module that keeps every rule outside its bodies. A body is validated when it is asked for.
///
/// Cloning it gives another handle to the same module and the same proofs, which threads share.
#[derive(Clone, Debug)]
pub struct LazyModule(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    module: Module,
    cx: Context,
    /// What constant expressions have spent of the comparisons that all share.
    comparisons_before: u64,
    /// By defined function; 0 without a proof. A proof holds [`crate::Feature::Mvp`] at least, so that it is not 0.
    proofs: Box<[AtomicU64]>,
    /// The features of the instructions that have been validated.
    used: AtomicU32,
}

/// A module that keeps every rule of validation. Cloning it gives another handle to the same module.
#[derive(Clone, Debug)]
pub struct ValidModule(LazyModule);

/// A body that keeps every rule, of a function that is defined in its module.
#[derive(Clone, Copy, Debug)]
pub struct ValidBody<'m> {
    module: &'m LazyModule,
    func: FuncIdx,
    body: Body,
    proof: Proof,
}

/// What is known of a body that keeps every rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proof {
    pub(super) frame_cost: FrameCost,
    /// The features that the instructions arrived with.
    pub(super) used: Features,
}

impl Proof {
    fn to_word(self) -> u64 {
        u64::from(self.used.bits()) << 32 | u64::from(self.frame_cost.0)
    }

    fn from_word(word: u64) -> Option<Self> {
        let [cost, used] = [word, word >> 32].map(|half| u32::try_from(half & 0xffff_ffff).unwrap_or(0));
        (word != 0).then(|| Self { frame_cost: FrameCost(cost), used: Features::from_bits(used) })
    }
}

/// How many bodies one thread takes at a time.
const BODIES_AT_ONCE: usize = 64;
/// Below this many bytes of code, handing bodies to other threads costs more than validating them.
const PARALLEL_BYTES: u32 = 64 * 1024;

/// Says whether an error depends on what other bodies have spent.
fn is_used_up(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::TooMany { what: COMPARISONS, .. })
}

/// What a frame of a function costs of the limit on call depth, in bytes (promise P6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameCost(u32);

impl FrameCost {
    /// A frame without calls costs nothing up to this size.
    const FREE_BYTES: u64 = 1024;
    const FIXED_BYTES: u64 = 32;
    const SLOT_BYTES: u64 = 8;

    pub(super) fn new(slots: u64, has_call: bool) -> Self {
        let bytes = Self::FIXED_BYTES + Self::SLOT_BYTES * slots;
        if !has_call && bytes <= Self::FREE_BYTES {
            return Self(0);
        }
        Self(u32::try_from(bytes).unwrap_or(u32::MAX))
    }

    /// Returns the cost in bytes.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        self.0
    }
}

impl core::ops::Deref for LazyModule {
    type Target = Module;

    fn deref(&self) -> &Module {
        &self.0.module
    }
}

impl core::ops::Deref for ValidModule {
    type Target = LazyModule;

    fn deref(&self) -> &LazyModule {
        &self.0
    }
}

impl From<ValidModule> for LazyModule {
    fn from(module: ValidModule) -> Self {
        module.0
    }
}

impl<'m> ValidBody<'m> {
    /// Returns the module.
    #[must_use]
    pub const fn module(&self) -> &'m LazyModule {
        self.module
    }

    /// Returns the index of the function.
    #[must_use]
    pub const fn func(&self) -> FuncIdx {
        self.func
    }

    /// Returns where the body lies.
    #[must_use]
    pub const fn body(&self) -> Body {
        self.body
    }

    /// Returns what a frame of the function costs.
    #[must_use]
    pub const fn frame_cost(&self) -> FrameCost {
        self.proof.frame_cost
    }

    /// Returns the features that the instructions arrived with, [`crate::Feature::Mvp`] always among them.
    #[must_use]
    pub const fn instructions_used(&self) -> Features {
        self.proof.used
    }
}

impl ValidModule {
    /// Returns the body of a function; `None` for an imported one.
    #[must_use]
    pub fn valid_body(&self, func: FuncIdx) -> Option<ValidBody<'_>> {
        let position = func.0.checked_sub(self.n_imported_funcs)? as usize;
        Some(ValidBody { module: self, func, body: self.body(func)?, proof: self.proof(position)? })
    }

    /// Yields the bodies of all defined functions, in order.
    pub fn valid_bodies(&self) -> impl Iterator<Item = ValidBody<'_>> {
        (0..self.bodies.len()).filter_map(|position| self.valid_body(self.defined_func(position)))
    }

    /// Returns what a frame of a defined function costs; nothing for an imported one.
    #[must_use]
    pub fn frame_cost(&self, func: FuncIdx) -> FrameCost {
        self.valid_body(func).map_or_else(FrameCost::default, |body| body.frame_cost())
    }
}

impl LazyModule {
    /// Makes a module none of whose bodies has been validated; the rest has been.
    pub(super) fn new(module: Module, cx: Context, used: Features) -> Self {
        let proofs = core::iter::repeat_with(AtomicU64::default).take(module.bodies.len()).collect();
        let (comparisons_before, used) = (cx.comparisons.spent(), AtomicU32::new(used.bits()));
        Self(Arc::new(Inner { module, cx, comparisons_before, proofs, used }))
    }

    /// Returns the body of a function, validated unless it has been before; `None` for an imported function.
    ///
    /// ```
    /// use wasmos_frontend::{decode, types::FuncIdx, validate_lazily};
    ///
    /// // Two functions; the second has no `end`.
    /// let module = decode(b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x03\x02\0\0\x0a\x06\x02\x02\0\x0b\x01\0".to_vec())?;
    /// let module = validate_lazily(module)?;
    /// assert!(module.validate_body(FuncIdx(0))?.is_some());
    /// assert!(module.validate_body(FuncIdx(1)).is_err());
    /// assert!(module.validate().is_err());
    /// # Ok::<(), wasmos_frontend::Error>(())
    /// ```
    ///
    /// # Errors
    /// The first rule that the body breaks.
    pub fn validate_body(&self, func: FuncIdx) -> Result<Option<ValidBody<'_>>> {
        let Some(body) = self.body(func) else { return Ok(None) };
        let position = (func.0 - self.n_imported_funcs) as usize;
        let proof = match self.proof(position) {
            Some(proof) => proof,
            None => {
                let cx = &self.0.cx;
                self.prove(&mut FuncValidator::new(self, cx, &cx.comparisons), position, body)?
            }
        };
        Ok(Some(ValidBody { module: self, func, body, proof }))
    }

    /// Checks the bodies that have not been validated, in parallel, with the same first error whatever the thread count
    /// and whatever was validated before.
    ///
    /// # Errors
    /// That of the first function whose body breaks a rule.
    pub fn validate(&self) -> Result<ValidModule> {
        let mut first = self.first_error();
        // Which body meets the end of what all share depends on the order; in theirs it is always the same one.
        if self.0.cx.comparisons.are_used_up() || first.as_ref().is_some_and(is_used_up) {
            first = self.prove_in_order().err();
        }
        first.map_or_else(|| Ok(ValidModule(self.clone())), Err)
    }

    /// Validates what has no proof; returns the error of the first body that breaks a rule.
    fn first_error(&self) -> Option<Error> {
        let validator = || FuncValidator::new(self, &self.0.cx, &self.0.cx.comparisons);
        let code = self.sections.iter().find(|section| section.id == SectionId::Code);
        if code.is_none_or(|section| section.content.len_bytes() < PARALLEL_BYTES)
            || rayon::current_num_threads() == 1
        {
            return self.prove_all(&mut validator(), 0, &self.bodies).err();
        }
        let chunks = self.bodies.par_chunks(BODIES_AT_ONCE).enumerate();
        // Without a length a thread keeps what it has begun, and the last large bodies are validated by one alone.
        let results = chunks.with_max_len(1).map_init(validator, |validator, (chunk, bodies)| {
            self.prove_all(validator, chunk * BODIES_AT_ONCE, bodies)
        });
        // Chunks behind one that has failed need not be looked at; those before it must, since theirs is the first error.
        results.find_map_first(Result::err)
    }

    fn prove_all(&self, validator: &mut FuncValidator<'_>, first: usize, bodies: &[Body]) -> Result<()> {
        for (position, body) in (first..).zip(bodies) {
            if self.proof(position).is_none() {
                self.prove(validator, position, *body)?;
            }
        }
        Ok(())
    }

    /// Validates a body and notes its proof.
    fn prove(&self, validator: &mut FuncValidator<'_>, position: usize, body: Body) -> Result<Proof> {
        let proof = self.check(validator, position, body)?;
        let word = self.0.proofs.get(position);
        // Of two threads that validate one body, one pays.
        if word.is_some_and(|word| word.swap(proof.to_word(), Ordering::AcqRel) == 0) {
            self.0.cx.comparisons.spend(validator.beyond);
            self.0.used.fetch_or(proof.used.bits(), Ordering::Relaxed);
        }
        Ok(proof)
    }

    /// Validates every body, one after the other, as if none had been looked at.
    fn prove_in_order(&self) -> Result<()> {
        let comparisons = Comparisons::from(self.0.comparisons_before);
        let mut validator = FuncValidator::new(self, &self.0.cx, &comparisons);
        for (position, body) in self.bodies.iter().enumerate() {
            self.prove(&mut validator, position, *body)?;
            comparisons.spend(validator.beyond);
        }
        Ok(())
    }

    fn check(&self, validator: &mut FuncValidator<'_>, position: usize, body: Body) -> Result<Proof> {
        let func = self.defined_func(position);
        validator.body(func, body).map_err(|error| {
            let name = self.func_name(func).map(str::to_owned);
            error.in_function(func, name)
        })
    }

    fn proof(&self, position: usize) -> Option<Proof> {
        Proof::from_word(self.0.proofs.get(position)?.load(Ordering::Acquire))
    }

    /// Returns the features that the instructions arrived with of constant expressions and of the bodies that have been
    /// validated, [`crate::Feature::Mvp`] always among them.
    #[must_use]
    pub fn instructions_used(&self) -> Features {
        Features::from_bits(self.0.used.load(Ordering::Relaxed))
    }

    /// Returns the first type of the module that is equal to the one at `index`.
    #[must_use]
    pub fn canonical_type(&self, index: TypeIdx) -> TypeIdx {
        self.0.cx.types.canonical(index)
    }

    /// Returns whether a value of type `sub` may stand where `sup` is expected; both are types of this module.
    #[must_use]
    pub fn matches(&self, sub: ValType, sup: ValType) -> bool {
        Matcher { types: &self.0.module.types, canonical: &self.0.cx.types }.val(sub, sup)
    }
}
