//! Command-line programs of the corpus from their bytes to their end, each in a process of its own, beside wasmi with its
//! fuel on and its WASI library.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use serde::Deserialize;
use wasmi_wasi::wasi_common::sync::{Dir, WasiCtxBuilder, ambient_authority};
use wasmos_runtime as wasmos;
use wasmos_runtime::wasi::{self, Access, Output, Stdin, WasiCtx};
use wasmtime_wasi::p1::{self, WasiP1Ctx};

use crate::engines::wasmi_engine;
use crate::jit::{Setup, peer_engine};
use crate::stats::{geometric_mean, spread};

/// Which engine runs a program.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Which {
    /// Ours, with the limits of the profile `standard`, of time none.
    Wasmos,
    /// The peer, with fuel.
    Wasmi,
    /// Ours, compiled.
    WasmosJit,
    /// Ours, compiled before: from its cache on disk.
    WasmosWarm,
    /// The peer that compiles, by default: without metering.
    Wasmtime,
    /// The same, compiled before: from its cache on disk.
    WasmtimeWarm,
    /// V8 and its own WASI.
    Node,
}

/// Where compiled code is kept.
fn warm_folder() -> PathBuf {
    std::env::temp_dir().join("wasmos-bench-warm")
}

/// A run of `runs.json`.
#[derive(Deserialize)]
pub struct Program {
    pub name: String,
    /// Path of the module in the corpus.
    pub module: String,
    dirs: Vec<String>,
    /// Path of what stands on standard input, beside `runs.json`.
    pub stdin: Option<String>,
    pub args: Vec<String>,
    /// The status that it ends with.
    pub exit: i32,
}

impl Program {
    /// Reads `runs.json`.
    pub fn all(shared: &Path) -> Result<Vec<Self>> {
        Ok(serde_json::from_slice(&fs::read(shared.join("runs.json"))?)?)
    }
}

/// A folder with what a run reads, which is gone when this is dropped.
pub struct Folder<'a> {
    pub shared: &'a Path,
    corpus: &'a Path,
    path: PathBuf,
}

impl<'a> Folder<'a> {
    /// Fills it.
    pub fn new(shared: &'a Path, corpus: &'a Path) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("wasmos-bench-{}", std::process::id()));
        copy(&shared.join("inputs"), &path.join("inputs"))?;
        fs::create_dir(path.join("EMPTY"))?;
        Ok(Self { shared, corpus, path })
    }

    /// Returns the directories of a run: on the host, and as the guest sees them.
    pub fn dirs<'p>(&self, program: &'p Program) -> Result<Vec<(PathBuf, &'p str)>> {
        let dir = |dir: &'p String| {
            let (host, guest) = dir.split_once("::").context("a directory is HOST::GUEST")?;
            let root: &Path = if host.starts_with("data/") { self.corpus } else { &self.path };
            Ok((root.join(host), guest))
        };
        program.dirs.iter().map(dir).collect()
    }
}

impl Drop for Folder<'_> {
    fn drop(&mut self) {
        // What cannot be removed stays in the system's folder for such things.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Runs one program in this process and ends with its status.
pub fn run_one(which: Which, module: &Path, dirs: &[String], args: &[String]) -> Result<()> {
    let bytes = fs::read(module)?;
    let name = module.file_name().context("the module has a name")?.to_string_lossy().into_owned();
    let args: Vec<String> = [name].into_iter().chain(args.iter().cloned()).collect();
    let dirs = dirs.iter().map(|dir| dir.split_once("::").context("a directory is HOST::GUEST"));
    let dirs: Vec<_> = dirs.collect::<Result<_>>()?;
    let status = match which {
        Which::Wasmos => own(bytes, &dirs, &args, wasmos::Backend::Interpreter, None)?,
        Which::WasmosJit => own(bytes, &dirs, &args, jit(), None)?,
        Which::WasmosWarm => {
            let cache =
                wasmos::Cache::open(&warm_folder().join("wasmos"), wasmos::MacKey::new([7; 32]), 4 << 30)?;
            own(bytes, &dirs, &args, jit(), Some(&cache))?
        }
        Which::Wasmtime => wasmtime(&peer_engine(Setup::Default)?, &bytes, &dirs, &args)?,
        Which::WasmtimeWarm => wasmtime(&warm_engine()?, &bytes, &dirs, &args)?,
        Which::Wasmi => peer(&bytes, &dirs, &args)?,
        Which::Node => bail!("it is a program of its own"),
    };
    std::process::exit(status)
}

fn jit() -> wasmos::Backend {
    wasmos::Backend::Jit(wasmos::JitOptions::default())
}

/// Returns the peer that keeps what it has compiled.
fn warm_engine() -> Result<wasmtime::Engine> {
    let mut config = wasmtime::CacheConfig::new();
    // A folder of its own: it drops files that it does not know.
    config.with_directory(warm_folder().join("wasmtime"));
    let cache = wasmtime::Cache::new(config)?;
    Ok(wasmtime::Engine::new(wasmtime::Config::new().cache(Some(cache)))?)
}

fn wasmtime(engine: &wasmtime::Engine, bytes: &[u8], dirs: &[(&str, &str)], args: &[String]) -> Result<i32> {
    let module = wasmtime::Module::new(engine, bytes)?;
    let mut builder = wasmtime_wasi::WasiCtxBuilder::new();
    builder.args(args).inherit_stdio().allow_blocking_current_thread(true);
    for (host, guest) in dirs {
        builder.preopened_dir(host, guest, wasmtime_wasi::FsPerms::ReadWrite)?;
    }
    let mut store = wasmtime::Store::new(engine, builder.build_p1());
    let mut linker = wasmtime::Linker::new(engine);
    p1::add_to_linker_sync(&mut linker, |ctx: &mut WasiP1Ctx| ctx)?;
    let instance = linker.instantiate(&mut store, &module)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    match start.call(&mut store, ()) {
        Ok(()) => Ok(0),
        Err(error) => match error.downcast_ref::<wasmtime_wasi::I32Exit>() {
            Some(exit) => Ok(exit.0),
            None => bail!("{error:?}"),
        },
    }
}

fn own(
    bytes: Vec<u8>,
    dirs: &[(&str, &str)],
    args: &[String],
    backend: wasmos::Backend,
    cache: Option<&wasmos::Cache>,
) -> Result<i32> {
    let engine = wasmos::Engine::new(wasmos::Config { backend, ..Default::default() });
    let valid = wasmos_frontend::validate(wasmos_frontend::decode(bytes)?)?;
    let preparation = wasmos::Preparation { cache, ..Default::default() };
    let module = wasmos::Module::prepare_with(&engine, valid, preparation)?.module;
    let mut builder = WasiCtx::builder().args(args).stdin(Stdin::Inherit);
    builder = builder.stdout(Output::Inherit).stderr(Output::Inherit);
    for (host, guest) in dirs {
        builder = builder.dir(host, *guest, Access::ReadWrite);
    }
    let limits = wasmos::Limits { timeout: None, ..wasmos::Limits::standard() };
    let mut store = wasmos::Store::with_limits(&engine, builder.build()?, limits)?;
    let mut linker = wasmos::Linker::new(&engine);
    wasi::add_to_linker(&mut linker, |ctx: &mut WasiCtx| ctx)?;
    let instance = linker.instantiate(&mut store, &module)?;
    let start = instance.get_func(&mut store, "_start").context("a program has a start")?;
    Ok(match start.call(&mut store, &[])? {
        wasmos::Outcome::Returned(_) => 0,
        wasmos::Outcome::Exited(status) => status,
        outcome => bail!("{outcome}"),
    })
}

fn peer(bytes: &[u8], dirs: &[(&str, &str)], args: &[String]) -> Result<i32> {
    let engine = wasmi_engine(true, wasmi::CompilationMode::LazyTranslation);
    let module = wasmi::Module::new(&engine, bytes)?;
    let mut builder = WasiCtxBuilder::new();
    builder.args(args)?.inherit_stdio();
    for (host, guest) in dirs {
        builder.preopened_dir(Dir::open_ambient_dir(host, ambient_authority())?, guest)?;
    }
    let mut store = wasmi::Store::new(&engine, builder.build());
    store.set_fuel(wasmos::Limits::standard().fuel.unwrap_or(u64::MAX / 4))?;
    let mut linker = wasmi::Linker::new(&engine);
    wasmi_wasi::add_to_linker(&mut linker, |ctx| ctx)?;
    let instance = linker.instantiate_and_start(&mut store, &module)?;
    let start = instance.get_typed_func::<(), ()>(&store, "_start")?;
    match start.call(&mut store, ()) {
        Ok(()) => Ok(0),
        Err(error) => error.i32_exit_status().ok_or_else(|| error.into()),
    }
}

/// Prints a row for each run that both engines can make.
pub fn run(shared: &Path, corpus: &Path, rounds: usize, only: &str) -> Result<()> {
    let runs = Program::all(shared)?;
    println!(
        "| run | wasmi + fuel, ms | wasmos, metered (min–max) | wasmos JIT (min–max) | wasmtime (min–max) |"
    );
    println!("| --- | --: | --- | --- | --- |");
    let mut means = [const { Vec::new() }; 3];
    for run in runs.iter().filter(|run| run.name.contains(only)) {
        if let Err(why) = time(Which::Wasmos, run, shared, corpus) {
            println!("| {} | left out: {why} | |", run.name);
            continue;
        }
        let mut times = [const { Vec::new() }; 4];
        for _ in 0..rounds {
            let peer = time(Which::Wasmi, run, shared, corpus)?;
            times[0].push(peer * 1e3);
            for (list, which) in times[1..].iter_mut().zip([Which::Wasmos, Which::WasmosJit, Which::Wasmtime])
            {
                list.push(time(which, run, shared, corpus)? / peer);
            }
        }
        let [peer, rest @ ..] = times.map(spread);
        print!("| {} | {:.1} |", run.name, peer[1]);
        for (mean, [least, median, most]) in means.iter_mut().zip(rest) {
            print!(" {median:.2} ({least:.2}–{most:.2}) |");
            mean.push(median);
        }
        println!();
    }
    let [own, jit, peer] = means.map(geometric_mean);
    println!("| geometric mean | 1 | {own:.2} | {jit:.2} | {peer:.2} |");
    Ok(())
}

/// Prints how long runs take from the file to their end, with each engine, cold and with what was compiled before.
pub fn cold(shared: &Path, corpus: &Path, rounds: usize) -> Result<()> {
    let _ = fs::remove_dir_all(warm_folder());
    let all = Which::value_variants();
    let names = all.iter().filter_map(|which| Some(which.to_possible_value()?.get_name().to_owned()));
    println!("| run, ms (min–max) | {} |", names.collect::<Vec<_>>().join(" | "));
    println!("| --- |{}", " --: |".repeat(all.len()));
    let runs = Program::all(shared)?;
    for name in ["rg-count-stdin", "icepack06", "python-c"] {
        let run = runs.iter().find(|run| run.name == name).with_context(|| name.to_owned())?;
        let mut times = vec![Vec::new(); all.len()];
        // The first round fills what is kept.
        for round in 0..=rounds {
            for (list, which) in times.iter_mut().zip(all) {
                let seconds = time(*which, run, shared, corpus)?;
                list.extend((round > 0).then_some(seconds * 1e3));
            }
        }
        print!("| `{name}` |");
        for list in times {
            let [least, median, most] = spread(list);
            print!(" {median:.0} ({least:.0}–{most:.0}) |");
        }
        println!();
    }
    fs::remove_dir_all(warm_folder()).context("what was kept")
}

/// Returns the command that runs a module; directories and arguments follow.
fn command(which: Which, module: PathBuf) -> Result<Command> {
    if matches!(which, Which::Node) {
        let mut command = Command::new("node");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/wasi.mjs");
        command.args(["--no-warnings", script]).arg(module);
        return Ok(command);
    }
    let which = which.to_possible_value().context("an engine has a name")?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("program").arg(which.get_name()).arg(module);
    Ok(command)
}

/// Returns how long a process takes, in seconds.
fn time(which: Which, run: &Program, shared: &Path, corpus: &Path) -> Result<f64> {
    let folder = Folder::new(shared, corpus)?;
    let mut command = command(which, corpus.join(&run.module))?;
    for (host, guest) in folder.dirs(run)? {
        if !matches!(which, Which::Node) {
            command.arg("--dir");
        }
        command.arg(format!("{}::{guest}", host.display()));
    }
    command.arg("--").args(&run.args).stdout(Stdio::null());
    command.stdin(match &run.stdin {
        Some(name) => File::open(shared.join(name))?.into(),
        None => Stdio::null(),
    });
    let begin = Instant::now();
    let output = command.output()?;
    let seconds = begin.elapsed().as_secs_f64();
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(run.exit), "{}", stderr.lines().next().unwrap_or_default());
    Ok(seconds)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &to)?,
            false => fs::write(to, fs::read(entry.path())?)?,
        }
    }
    Ok(())
}
