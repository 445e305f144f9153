//! From a module to native code: functions are compiled in parallel, in any order, and laid out in theirs.
//!
//! The code of a module is one piece: functions, thunks, and for each shape of function a way in and a way to the host.
//! Calls within it are relative, and nothing in it depends on where it lies.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{ExternalName, Function};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable as _};
use cranelift_codegen::{Context, FinalizedRelocTarget, MachTrap};
use cranelift_frontend::FunctionBuilderContext;
use rayon::prelude::*;
use wasmos_frontend::ValidModule;
use wasmos_frontend::types::{FuncIdx, FuncType};

use super::abi::Shape;
use super::code::{Compiled, Piece, TrapSite, link};
use super::stubs::{self, Thunk};
use super::translate::{Env, Notes, translate};
use super::{Charges, Error, Options, Progress, Watch, patch};

/// Bytes of a native frame for each byte that promise P6 counts: beyond that a frame is out of proportion.
pub(super) const NATIVE_PER_COUNTED: u32 = 8;
/// What a native frame may take that costs nothing, and what lies beyond the deepest one.
pub(super) const FREE_NATIVE: u32 = 64 << 10;
/// The largest native frame: it is made before the depth is tested.
pub(super) const MOST_NATIVE: u32 = 512 << 10;
/// The largest body that is compiled.
const MOST_BODY_BYTES: u32 = 2 << 20;
/// Blocks of a function beyond which the code is not optimised: some passes take time by their square.
const OPTIMIZED_BLOCKS: usize = 8_000;
/// The most blocks of a function.
const MOST_BLOCKS: usize = 60_000;
/// The most native code of a module, in bytes: what compiling keeps of it is a few times as much.
const MOST_CODE_BYTES: u64 = 512 << 20;

/// A piece that is still to be compiled.
enum Job<'m> {
    Func(FuncIdx),
    Thunk(Thunk),
    Entry(&'m FuncType),
    HostCall(&'m FuncType),
}

/// What a thread compiles with.
struct Worker {
    context: Context,
    builder: FunctionBuilderContext,
}

impl Worker {
    fn new() -> Self {
        Self { context: Context::new(), builder: FunctionBuilderContext::new() }
    }

    /// Compiles with the charges that are wanted, or with plain ones where those cannot be had.
    fn compile(&mut self, env: &Env<'_>, targets: &Targets, job: &Job<'_>) -> Result<Piece, Error> {
        if env.options.charges == Charges::Patched
            && env.module.bytes().len() < patch::MARK as usize
            && let Some(piece) = self.try_compile(env, targets, job, Charges::Patched)?
        {
            return Ok(piece);
        }
        match self.try_compile(env, targets, job, Charges::Plain)? {
            Some(piece) => Ok(piece),
            None => unreachable!("nothing of the plain form is rewritten"),
        }
    }

    /// Compiles, or returns nothing where the charges cannot be rewritten.
    fn try_compile(
        &mut self,
        env: &Env<'_>,
        targets: &Targets,
        job: &Job<'_>,
        charges: Charges,
    ) -> Result<Option<Piece>, Error> {
        self.context.clear();
        let function: &mut Function = &mut self.context.func;
        let mut notes = None;
        match *job {
            Job::Func(func) => {
                notes = Some(translate(env, (func, charges), function, &mut self.builder)?);
            }
            Job::Thunk(Thunk::Veneer) => return Ok(Some(Piece::veneer())),
            Job::Thunk(thunk) => thunk.build(function, &mut self.builder, env.config),
            Job::Entry(ty) => stubs::build_entry(function, &mut self.builder, ty, env.config),
            Job::HostCall(ty) => stubs::build_host_call(function, &mut self.builder, ty, env.config),
        }
        let func = if let Job::Func(func) = *job { func } else { FuncIdx(u32::MAX) };
        let blocks = self.context.func.dfg.num_blocks();
        if blocks > MOST_BLOCKS {
            return Err(Error::TooComplex { func });
        }
        let isa = if blocks > OPTIMIZED_BLOCKS { &targets.plain } else { &targets.optimizing };
        let compiled = self.context.compile(&**isa, &mut ControlPlane::default());
        if let Err(error) = &compiled {
            return Err(Error::Refused { func, reason: error.inner.to_string() });
        }
        if let Job::Func(func) = *job {
            self.check_frame(env.module.frame_cost(func).bytes(), func)?;
        }
        self.piece(notes.as_ref(), func)
    }

    /// Refuses a frame that the native stack has no room for.
    fn check_frame(&self, cost: u32, func: FuncIdx) -> Result<(), Error> {
        let Some(code) = self.context.compiled_code() else { return Ok(()) };
        let bytes = code.buffer.frame_layout().map_or(0, |frame| frame.frame_to_fp_offset) + 16;
        let most = if cost == 0 { FREE_NATIVE } else { cost.saturating_mul(NATIVE_PER_COUNTED) };
        if bytes > most.min(MOST_NATIVE) { Err(Error::Frame { func, bytes, cost }) } else { Ok(()) }
    }

    /// Returns nothing where charges cannot be rewritten.
    fn piece(&self, notes: Option<&Notes>, func: FuncIdx) -> Result<Option<Piece>, Error> {
        let Some(code) = self.context.compiled_code() else { unreachable!("it has just been compiled") };
        let locations = code.buffer.get_srclocs_sorted();
        let offset_at = |pc: u32| {
            let index = locations.partition_point(|location| location.start <= pc);
            let location = index.checked_sub(1).and_then(|index| locations.get(index));
            let location = location.filter(|location| pc < location.end);
            location.map(|location| patch::offset(location.loc.bits()))
        };
        let first = notes.map_or(0, |notes| notes.first);
        let mut traps = Vec::new();
        let mut calls = Vec::new();
        let mut calls_out = Vec::new();
        let mut bytes = code.code_buffer().to_vec();
        if let Some(notes) = notes {
            let is_charge = |trap: &&MachTrap| trap.code.as_raw().get() == patch::CHARGE_TRAP;
            let tests: Vec<_> =
                code.buffer.traps().iter().filter(is_charge).map(|trap| trap.offset).collect();
            let Some(tests) = patch::rewrite(&mut bytes, patch::sites(locations), &tests) else {
                return Ok(None);
            };
            for test in tests {
                calls_out.push((test.call, stubs::THUNKS, Thunk::ChargeHere as u32));
                calls.push((test.call + 4, test.offset));
            }
            for trap in code.buffer.traps().iter().filter(|trap| !is_charge(trap)) {
                let (code, offset) = notes.trap(trap.code, offset_at(trap.offset).unwrap_or(first));
                traps.push(TrapSite { pc: trap.offset, offset, code });
            }
            let sites = code.buffer.call_sites();
            calls.extend(sites.map(|site| (site.ret_addr, offset_at(site.ret_addr - 1).unwrap_or(first))));
        }
        for reloc in code.buffer.relocs() {
            let FinalizedRelocTarget::ExternalName(ExternalName::User(name)) = &reloc.target else {
                return Err(Error::Refused { func, reason: format!("needs {:?}", reloc.target) });
            };
            if reloc.kind != Reloc::X86CallPCRel4 || reloc.addend != -4 {
                return Err(Error::Refused { func, reason: format!("relocation {:?}", reloc.kind) });
            }
            let name = &self.context.func.params.user_named_funcs()[*name];
            calls_out.push((reloc.offset, name.namespace, name.index));
        }
        Ok(Some(Piece { bytes, calls_out, traps, calls }))
    }
}

/// The target, with and without optimisation.
struct Targets {
    optimizing: OwnedTargetIsa,
    plain: OwnedTargetIsa,
}

pub(super) fn target(options: Options, level: &str) -> Result<OwnedTargetIsa, Error> {
    let mut flags = settings::builder();
    let set = [
        ("opt_level", level),
        ("enable_pinned_reg", "true"),
        ("preserve_frame_pointers", "true"),
        ("enable_multi_ret_implicit_sret", "true"),
        ("enable_probestack", "true"),
        ("probestack_strategy", "inline"),
        ("probestack_size_log2", "12"),
        ("is_pic", "false"),
        ("unwind_info", "false"),
        ("enable_verifier", if options.verifies { "true" } else { "false" }),
    ];
    for (name, value) in set {
        flags.set(name, value).map_err(|error| Error::Platform { reason: error.to_string() })?;
    }
    let builder =
        cranelift_native::builder().map_err(|reason| Error::Platform { reason: reason.to_string() })?;
    let isa = builder.finish(settings::Flags::new(flags));
    isa.map_err(|error| Error::Platform { reason: error.to_string() })
}

/// How far compilation is, and whether it goes on.
struct Course<'a> {
    watch: Watch<'a>,
    n_jobs: usize,
    done: AtomicUsize,
    code_bytes: AtomicU64,
    /// Position of the first job that was refused: none behind it is worth its time.
    refused: AtomicUsize,
}

impl Course<'_> {
    /// Compiles the job at a position; `None` if one in front of it is known to be refused.
    fn run(
        &self,
        (worker, env, targets): (&mut Worker, &Env<'_>, &Targets),
        (position, job): (usize, &Job<'_>),
    ) -> Option<Result<Piece, Error>> {
        if self.refused.load(Ordering::Relaxed) < position {
            return None;
        }
        let result = self.check().and_then(|()| worker.compile(env, targets, job));
        match &result {
            Ok(piece) => {
                self.done.fetch_add(1, Ordering::Relaxed);
                self.code_bytes.fetch_add(piece.bytes.len() as u64, Ordering::Relaxed);
            }
            Err(_) => drop(self.refused.fetch_min(position, Ordering::Relaxed)),
        }
        Some(result)
    }

    fn check(&self) -> Result<(), Error> {
        let code_bytes = self.code_bytes.load(Ordering::Relaxed);
        if code_bytes > MOST_CODE_BYTES {
            return Err(Error::TooLarge { bytes: code_bytes });
        }
        let functions = self.done.load(Ordering::Relaxed);
        let progress = Progress { functions, of: self.n_jobs, code_bytes };
        match (self.watch)(progress) {
            core::ops::ControlFlow::Continue(()) => Ok(()),
            core::ops::ControlFlow::Break(()) => Err(Error::TooSlow { functions, of: self.n_jobs }),
        }
    }
}

/// Compiles a module, as long as `watch` says so.
///
/// # Errors
/// [`Error`]. Of several functions that are refused, the first one is named.
pub(crate) fn compile(module: &ValidModule, options: Options, watch: Watch<'_>) -> Result<Compiled, Error> {
    if !super::trap::SUPPORTED {
        return Err(Error::Platform { reason: "no handler of faults for this platform".into() });
    }
    let targets = Targets { optimizing: target(options, "speed")?, plain: target(options, "none")? };
    let env = Env { module, options, config: targets.plain.frontend_config() };
    let n_imported = module.n_imported_funcs;
    let mut jobs: Vec<_> =
        (0..module.bodies.len()).map(|position| Job::Func(module.defined_func(position))).collect();
    for (position, body) in module.bodies.iter().enumerate() {
        if body.0.len_bytes() > MOST_BODY_BYTES {
            return Err(Error::TooComplex { func: module.defined_func(position) });
        }
    }
    jobs.extend(Thunk::ALL.map(Job::Thunk));
    let mut shapes = Vec::new();
    let mut seen = HashMap::new();
    for ty in module.types.iter().filter_map(|ty| ty.func()) {
        if seen.insert(Shape::of(ty), ()).is_none() {
            shapes.push(Shape::of(ty));
            jobs.extend([Job::Entry(ty), Job::HostCall(ty)]);
        }
    }
    let course = Course {
        watch,
        n_jobs: jobs.len(),
        done: AtomicUsize::new(0),
        code_bytes: AtomicU64::new(0),
        refused: AtomicUsize::new(usize::MAX),
    };
    let pieces: Vec<_> = jobs
        .par_iter()
        .enumerate()
        .map_init(Worker::new, |worker, job| course.run((worker, &env, &targets), job))
        .collect();
    // What was passed over stands behind a refusal.
    let pieces = pieces.into_iter().map_while(|piece| piece).collect::<Result<Vec<_>, _>>()?;
    link(&pieces, module.bodies.len(), &shapes, (options, n_imported))
}

#[cfg(test)]
mod tests;
