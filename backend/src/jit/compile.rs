//! From a module to native code: functions are compiled in parallel, in any order, and laid out in theirs.
//!
//! The code of a module is one piece: functions, thunks, and for each shape of function a way in and a way to the host.
//! Calls within it are relative, and nothing in it depends on where it lies.

use std::collections::HashMap;

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{ExternalName, Function};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable as _};
use cranelift_codegen::{Context, FinalizedRelocTarget};
use cranelift_frontend::FunctionBuilderContext;
use rayon::prelude::*;
use wasmos_frontend::types::{FuncIdx, FuncType};
use wasmos_frontend::{Module, ValidModule};

use super::abi::Shape;
use super::stubs::{self, Thunk};
use super::translate::{Env, Notes, translate};
use super::{Error, Options};
use crate::vm::mapping::Mapping;

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
/// Functions begin at multiples of this.
const ALIGN: usize = 16;

/// An instruction that may trap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrapSite {
    /// Its displacement in the code.
    pub(crate) pc: u32,
    /// Absolute byte offset of the module's instruction.
    pub(crate) offset: u32,
    pub(crate) code: wasmos_abi::TrapCode,
}

/// Native code of a module.
#[derive(Debug)]
pub(crate) struct Compiled {
    text: Mapping,
    pub(crate) options: Options,
    n_imported: u32,
    /// Where each defined function begins, and where the last one ends.
    starts: Box<[u32]>,
    pub(crate) traps: Box<[TrapSite]>,
    /// Return addresses, with the offsets of the calls.
    calls: Box<[(u32, u32)]>,
    /// By shape: the way in, and the way to the host.
    pub(crate) stubs: HashMap<Shape, [u32; 2]>,
}

impl Compiled {
    pub(crate) fn address(&self, displacement: u32) -> *const u8 {
        self.text.base().wrapping_add(displacement as usize)
    }

    /// Returns the addresses between which the code lies.
    pub(crate) fn range(&self) -> core::ops::Range<usize> {
        let start = self.text.base() as usize;
        start..start + self.text.len_bytes()
    }

    /// Returns the addresses of a function's code, and of the way in for its shape.
    pub(crate) fn entry(&self, module: &Module, func: FuncIdx) -> (*const u8, *const u8) {
        let index = func.0.saturating_sub(self.n_imported) as usize;
        let stub = module.func_type(func).and_then(|ty| self.stubs.get(&Shape::of(ty)));
        let (Some(start), Some([enter, _])) = (self.starts.get(index), stub) else {
            unreachable!("each function has code, and its shape a way in")
        };
        (self.address(*start), self.address(*enter))
    }

    /// Returns the function whose code lies at a displacement.
    pub(crate) fn func_at(&self, pc: u32) -> Option<FuncIdx> {
        let index = self.starts.partition_point(|start| *start <= pc).checked_sub(1)?;
        (index + 1 < self.starts.len()).then(|| FuncIdx(self.n_imported + index as u32))
    }

    pub(crate) fn trap_at(&self, pc: u32) -> Option<TrapSite> {
        let index = self.traps.binary_search_by_key(&pc, |site| site.pc).ok()?;
        Some(self.traps[index])
    }

    /// Returns the offset of the call that returns to a displacement.
    pub(crate) fn call_before(&self, pc: u32) -> Option<u32> {
        let index = self.calls.binary_search_by_key(&pc, |call| call.0).ok()?;
        Some(self.calls[index].1)
    }
}

/// A compiled function, before it has a place.
struct Piece {
    bytes: Vec<u8>,
    /// Where the displacement of a call stands, and whom it calls: namespace and index.
    calls_out: Vec<(u32, u32, u32)>,
    traps: Vec<TrapSite>,
    calls: Vec<(u32, u32)>,
}

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

    fn compile(&mut self, env: &Env<'_>, targets: &Targets, job: &Job<'_>) -> Result<Piece, Error> {
        self.context.clear();
        let function: &mut Function = &mut self.context.func;
        let mut notes = None;
        match *job {
            Job::Func(func) => notes = Some(translate(env, func, function, &mut self.builder)?),
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

    fn piece(&self, notes: Option<&Notes>, func: FuncIdx) -> Result<Piece, Error> {
        let Some(code) = self.context.compiled_code() else { unreachable!("it has just been compiled") };
        let locations = code.buffer.get_srclocs_sorted();
        let offset_at = |pc: u32| {
            let index = locations.partition_point(|location| location.start <= pc);
            let location = index.checked_sub(1).and_then(|index| locations.get(index));
            location.filter(|location| pc < location.end).map(|location| location.loc.bits())
        };
        let first = notes.map_or(0, |notes| notes.first);
        let mut traps = Vec::new();
        let mut calls = Vec::new();
        if let Some(notes) = notes {
            for trap in code.buffer.traps() {
                let (code, offset) = notes.trap(trap.code, offset_at(trap.offset).unwrap_or(first));
                traps.push(TrapSite { pc: trap.offset, offset, code });
            }
            let sites = code.buffer.call_sites();
            calls.extend(sites.map(|site| (site.ret_addr, offset_at(site.ret_addr - 1).unwrap_or(first))));
        }
        let mut calls_out = Vec::new();
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
        Ok(Piece { bytes: code.code_buffer().to_vec(), calls_out, traps, calls })
    }
}

/// The target, with and without optimisation.
struct Targets {
    optimizing: OwnedTargetIsa,
    plain: OwnedTargetIsa,
}

fn target(options: Options, level: &str) -> Result<OwnedTargetIsa, Error> {
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

/// Compiles a module.
///
/// # Errors
/// [`Error`]. Of several functions that are refused, the first one is named.
pub(crate) fn compile(module: &ValidModule, options: Options) -> Result<Compiled, Error> {
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
    let pieces: Vec<_> =
        jobs.par_iter().map_init(Worker::new, |worker, job| worker.compile(&env, &targets, job)).collect();
    let pieces = pieces.into_iter().collect::<Result<Vec<_>, _>>()?;
    lay_out(&pieces, module.bodies.len(), &shapes, (options, n_imported))
}

/// Puts the pieces one behind the other and lets calls know where their callees are.
fn lay_out(
    pieces: &[Piece],
    n_funcs: usize,
    shapes: &[Shape],
    (options, n_imported): (Options, u32),
) -> Result<Compiled, Error> {
    let mut starts = Vec::with_capacity(pieces.len());
    let mut end = 0_usize;
    for piece in pieces {
        starts.push(end);
        end = (end + piece.bytes.len()).next_multiple_of(ALIGN);
    }
    // Displacements of calls have 31 bits.
    if i32::try_from(end).is_err() {
        return Err(Error::TooLarge { bytes: end as u64 });
    }
    let mut text = vec![0xcc; end];
    let (mut traps, mut calls) = (Vec::new(), Vec::new());
    for (piece, start) in pieces.iter().zip(&starts) {
        text[*start..*start + piece.bytes.len()].copy_from_slice(&piece.bytes);
        for (at, namespace, index) in &piece.calls_out {
            let callee = match *namespace {
                stubs::FUNCTIONS => (*index - n_imported) as usize,
                _ => n_funcs + *index as usize,
            };
            let at = *start + *at as usize;
            let displacement = starts[callee] as i64 - (at as i64 + 4);
            text[at..at + 4].copy_from_slice(&(displacement as i32).to_le_bytes());
        }
        let start = *start as u32;
        traps.extend(piece.traps.iter().map(|site| TrapSite { pc: site.pc + start, ..*site }));
        calls.extend(piece.calls.iter().map(|(pc, offset)| (pc + start, *offset)));
    }
    traps.sort_unstable_by_key(|site| site.pc);
    traps.dedup_by_key(|site| site.pc);
    calls.sort_unstable();
    let starts: Vec<_> = starts.into_iter().map(|start| start as u32).collect();
    let first_stub = n_funcs + Thunk::ALL.len();
    let stubs = shapes.iter().enumerate().map(|(index, shape)| {
        let at = first_stub + 2 * index;
        (shape.clone(), [starts[at], starts[at + 1]])
    });
    let stubs = stubs.collect();
    let text = Mapping::executable(&text).map_err(|error| Error::Platform { reason: error.to_string() })?;
    let starts = starts[..=n_funcs].into();
    Ok(Compiled { text, options, n_imported, starts, traps: traps.into(), calls: calls.into(), stubs })
}
