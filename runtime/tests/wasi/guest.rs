//! A guest that makes the calls that a test asks for.

use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use wasmos_abi::imports::{self, Type};
use wasmos_runtime::events::EventKind;
use wasmos_runtime::wasi::{self, WasiBuilder, WasiCtx};
use wasmos_runtime::{Capability, Engine, Instance, Limits, Linker, Memory, Module, Outcome, Store, Val};

/// Error numbers of the interface.
pub(crate) mod errno {
    pub(crate) const BADF: u32 = 8;
    pub(crate) const FAULT: u32 = 21;
    pub(crate) const FBIG: u32 = 22;
    pub(crate) const INVAL: u32 = 28;
    pub(crate) const LOOP: u32 = 32;
    pub(crate) const MFILE: u32 = 33;
    pub(crate) const NAMETOOLONG: u32 = 37;
    pub(crate) const NOENT: u32 = 44;
    pub(crate) const NOSPC: u32 = 51;
    pub(crate) const NOTDIR: u32 = 54;
    pub(crate) const NOTSOCK: u32 = 57;
    pub(crate) const PIPE: u32 = 64;
    pub(crate) const ROFS: u32 = 69;
    pub(crate) const SPIPE: u32 = 70;
    pub(crate) const NOTCAPABLE: u32 = 76;
}

pub(crate) const READ: i64 = 1 << 1;
pub(crate) const WRITE: i64 = 1 << 6;
/// Every right there is.
pub(crate) const ALL: i64 = (1 << 30) - 1;
pub(crate) const CREAT: i64 = 1;
pub(crate) const DIRECTORY: i64 = 2;
pub(crate) const EXCL: i64 = 4;
pub(crate) const TRUNC: i64 = 8;
/// The first descriptor of a directory that is given.
pub(crate) const DIR: i64 = 3;
pub(crate) const FOLLOW: i64 = 1;

/// Where results, vectors, paths and data lie.
pub(crate) const RESULT: i64 = 0x100;
pub(crate) const VECTORS: i64 = 0x200;
const PATH: i64 = 0x1000;
const PATH2: i64 = 0x4000;
pub(crate) const DATA: i64 = 0x1_0000;

pub(crate) type Answer<T> = Result<T, u32>;

pub(crate) struct Guest {
    pub(crate) store: Store<WasiCtx>,
    pub(crate) instance: Instance,
    pub(crate) memory: Memory,
}

/// A module with a function for each import of the interface, which passes its parameters on.
pub(crate) fn module(interface: &str, pages: u32, more: &str) -> String {
    let list = |types: &[Type], word: &str| {
        let names: Vec<_> = types.iter().map(|ty| format!("{ty:?}").to_lowercase()).collect();
        if names.is_empty() { String::new() } else { format!("({word} {})", names.join(" ")) }
    };
    let (mut head, mut body) = (String::new(), String::new());
    for import in imports::known().filter(|import| import.module == interface) {
        let (name, params, results) =
            (import.name, list(import.params, "param"), list(import.results, "result"));
        let _ = writeln!(head, "(import \"{interface}\" \"{name}\" (func ${name} {params} {results}))");
        let pass: String = (0..import.params.len()).map(|index| format!("(local.get {index}) ")).collect();
        let _ = writeln!(body, "(func (export \"{name}\") {params} {results} (call ${name} {pass}))");
    }
    format!("(module {head} (memory (export \"memory\") {pages}) {body} {more})")
}

impl Guest {
    pub(crate) fn new(builder: WasiBuilder) -> Self {
        Self::with(builder, Limits::standard(), "wasi_snapshot_preview1", 32)
    }

    pub(crate) fn with(builder: WasiBuilder, limits: Limits, interface: &str, pages: u32) -> Self {
        let engine = Engine::default();
        let text = module(interface, pages, "");
        let module = Module::new(&engine, wat::parse_str(&text).unwrap()).unwrap();
        let mut linker = Linker::new(&engine);
        wasi::add_to_linker(&mut linker, |ctx| ctx).unwrap();
        let mut store = Store::with_limits(&engine, builder.build().unwrap(), limits).unwrap();
        store.gate_mut().remember(100_000);
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        Self { store, instance, memory }
    }

    /// Calls a function; `Err` if the run ends in it.
    pub(crate) fn run(&mut self, name: &str, args: &[i64]) -> Result<u32, Outcome> {
        let func = self.instance.get_func(&mut self.store, name).unwrap();
        let import = imports::find("wasi_snapshot_preview1", name).unwrap();
        let args: Vec<_> = args
            .iter()
            .zip(import.params)
            .map(|(arg, ty)| if *ty == Type::I32 { Val::I32(*arg as i32) } else { Val::I64(*arg) })
            .collect();
        match func.call(&mut self.store, &args).unwrap() {
            Outcome::Returned(values) => match values[..] {
                [Val::I32(errno)] => Ok(errno as u32),
                _ => panic!("{name} returned {values:?}"),
            },
            outcome => Err(outcome),
        }
    }

    /// Calls a function that the run survives and returns its error number.
    pub(crate) fn errno(&mut self, name: &str, args: &[i64]) -> u32 {
        self.run(name, args).unwrap_or_else(|outcome| panic!("{name} ended the run: {outcome:?}"))
    }

    pub(crate) fn ok(&mut self, name: &str, args: &[i64]) -> Answer<()> {
        match self.errno(name, args) {
            0 => Ok(()),
            errno => Err(errno),
        }
    }

    pub(crate) fn put(&mut self, addr: i64, bytes: &[u8]) -> i64 {
        self.memory.write(&mut self.store, addr as usize, bytes).unwrap();
        bytes.len() as i64
    }

    pub(crate) fn get(&self, addr: i64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.memory.read(&self.store, addr as usize, &mut bytes).unwrap();
        bytes
    }

    pub(crate) fn u32_at(&self, addr: i64) -> u32 {
        u32::from_le_bytes(self.get(addr, 4).try_into().unwrap())
    }

    pub(crate) fn u64_at(&self, addr: i64) -> u64 {
        u64::from_le_bytes(self.get(addr, 8).try_into().unwrap())
    }

    /// Calls a function of a directory and a path, with parameters around them.
    pub(crate) fn at(&mut self, name: &str, before: &[i64], path: &str, after: &[i64]) -> Answer<()> {
        let len = self.put(PATH, path.as_bytes());
        self.ok(name, &[before, &[PATH, len], after].concat())
    }

    pub(crate) fn open_at(&mut self, dir: i64, path: &str, oflags: i64, rights: i64) -> Answer<i64> {
        self.open_with((dir, FOLLOW), path, oflags, rights, 0)
    }

    /// Opens with lookup and descriptor flags, too.
    pub(crate) fn open_with(
        &mut self,
        (dir, lookup): (i64, i64),
        path: &str,
        oflags: i64,
        rights: i64,
        flags: i64,
    ) -> Answer<i64> {
        self.at("path_open", &[dir, lookup], path, &[oflags, rights, ALL, flags, RESULT])?;
        Ok(i64::from(self.u32_at(RESULT)))
    }

    pub(crate) fn open(&mut self, path: &str, oflags: i64, rights: i64) -> Answer<i64> {
        self.open_at(DIR, path, oflags, rights)
    }

    pub(crate) fn close(&mut self, fd: i64) {
        assert_eq!(self.errno("fd_close", &[fd]), 0);
    }

    pub(crate) fn write(&mut self, fd: i64, bytes: &[u8]) -> Answer<usize> {
        let len = self.put(DATA, bytes);
        self.vectors(&[(DATA, len)]);
        self.ok("fd_write", &[fd, VECTORS, 1, RESULT])?;
        Ok(self.u32_at(RESULT) as usize)
    }

    pub(crate) fn read(&mut self, fd: i64, len: i64) -> Answer<Vec<u8>> {
        self.vectors(&[(DATA, len)]);
        self.ok("fd_read", &[fd, VECTORS, 1, RESULT])?;
        Ok(self.get(DATA, self.u32_at(RESULT) as usize))
    }

    pub(crate) fn vectors(&mut self, vectors: &[(i64, i64)]) {
        for (index, (addr, len)) in vectors.iter().enumerate() {
            let entry = [(*addr as u32).to_le_bytes(), (*len as u32).to_le_bytes()].concat();
            self.put(VECTORS + 8 * index as i64, &entry);
        }
    }

    /// Reads a whole file.
    pub(crate) fn contents(&mut self, path: &str) -> Answer<Vec<u8>> {
        let fd = self.open(path, 0, READ)?;
        let bytes = self.read(fd, 0x8000);
        self.close(fd);
        bytes
    }

    /// Makes a file.
    pub(crate) fn make(&mut self, path: &str, bytes: &[u8]) -> Answer<()> {
        let fd = self.open(path, CREAT | TRUNC, READ | WRITE)?;
        let written = self.write(fd, bytes);
        self.close(fd);
        assert_eq!(written?, bytes.len());
        Ok(())
    }

    /// Returns kind and size of what a path leads to.
    pub(crate) fn stat(&mut self, lookup: i64, path: &str) -> Answer<(u8, u64)> {
        self.at("path_filestat_get", &[DIR, lookup], path, &[RESULT])?;
        Ok((self.get(RESULT + 16, 1)[0], self.u64_at(RESULT + 32)))
    }

    pub(crate) fn read_link(&mut self, path: &str) -> Answer<String> {
        self.at("path_readlink", &[DIR], path, &[DATA, 4_096, RESULT])?;
        Ok(String::from_utf8(self.get(DATA, self.u32_at(RESULT) as usize)).unwrap())
    }

    pub(crate) fn symlink(&mut self, target: &str, path: &str) -> Answer<()> {
        let target_len = self.put(PATH2, target.as_bytes());
        self.at("path_symlink", &[PATH2, target_len, DIR], path, &[])
    }

    /// Calls a function of two paths.
    pub(crate) fn two(&mut self, name: &str, before: &[i64], from: &str, to: &str) -> Answer<()> {
        let to_len = self.put(PATH2, to.as_bytes());
        self.at(name, before, from, &[DIR, PATH2, to_len])
    }

    /// Lists a directory with calls of `buffer` bytes: names and kinds.
    pub(crate) fn list(&mut self, fd: i64, buffer: usize) -> Answer<Vec<(String, u8)>> {
        let mut found = Vec::new();
        let mut cookie = 0_u64;
        loop {
            self.ok("fd_readdir", &[fd, DATA, buffer as i64, cookie as i64, RESULT])?;
            let used = self.u32_at(RESULT) as usize;
            let bytes = self.get(DATA, used);
            let mut rest = &bytes[..];
            while let Some((head, tail)) = rest.split_at_checked(24) {
                let len = u32::from_le_bytes(head[16..20].try_into().unwrap()) as usize;
                assert_eq!(head[21..24], [0; 3], "padding is zero");
                let Some((name, tail)) = tail.split_at_checked(len) else { break };
                cookie = u64::from_le_bytes(head[..8].try_into().unwrap());
                found.push((String::from_utf8(name.into()).unwrap(), head[20]));
                rest = tail;
            }
            if used < buffer {
                return Ok(found);
            }
        }
    }

    /// Returns the violations since the run began: capability and subject.
    pub(crate) fn violations(&self) -> Vec<(Capability, String)> {
        let events = self.store.gate().events().iter();
        events
            .filter_map(|event| match &event.kind {
                EventKind::Violation { capability, subject } => {
                    Some((*capability, String::from_utf8_lossy(subject).into_owned()))
                }
                _ => None,
            })
            .collect()
    }
}

/// Returns both ends of a pipe as files.
pub(crate) fn pipe() -> (File, File) {
    let (reader, writer) = io::pipe().unwrap();
    (File::from(OwnedFd::from(reader)), File::from(OwnedFd::from(writer)))
}

/// Makes a directory with a canary beside it, and returns it with the folder that holds both.
pub(crate) fn given() -> (tempfile::TempDir, std::path::PathBuf) {
    let top = tempfile::tempdir().unwrap();
    let dir = top.path().join("given");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(top.path().join("canary"), "canary").unwrap();
    (top, dir)
}

pub(crate) fn write_file(dir: &Path, name: &str, text: &str) {
    std::fs::write(dir.join(name), text).unwrap();
}
