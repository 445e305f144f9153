//! Any function with any parameters: it answers, or the run ends, and the host lives.

use wasmos_abi::imports::{self, Type};
use wasmos_runtime::Limits;
use wasmos_runtime::wasi::{Access, Stdin, WasiBuilder, WasiCtx};

use crate::guest::{DATA, Guest, given, write_file};

/// xorshift64*: small and the same everywhere.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// Numbers that mean something to one function or another.
const NUMBERS: [i64; 24] = [
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    24,
    100,
    0x100,
    0x1001,
    DATA,
    DATA + 3,
    DATA + 40,
    (32 << 16) - 1,
    32 << 16,
    i32::MAX as i64,
    u32::MAX as i64,
    i64::MAX,
    i64::MIN,
    -1,
    0x3fff_ffff,
];

const PATHS: [&str; 10] = ["a", "b", "dir", "dir/a", "../a", "/a", "link", "dir/../b/", ".", "a\0"];

/// Makes `n` random calls; a guest whose run has ended is replaced.
fn random_calls(rng: &mut Rng, n: usize, guest: impl Fn() -> Guest) {
    let functions: Vec<_> = imports::known()
        .filter(|import| import.module == "wasi_snapshot_preview1" && import.name != "proc_exit")
        .collect();
    let mut caller = guest();
    let mut ended = 0;
    for _ in 0..n {
        // What pointers find: paths, vectors, subscriptions, numbers.
        for at in 0..6 {
            let addr = DATA + 40 * at;
            match rng.below(3) {
                0 => caller.put(addr, rng.pick(&PATHS).as_bytes()),
                1 => caller.put(addr, &rng.pick(&NUMBERS).to_le_bytes()),
                _ => caller.put(addr, &[rng.below(256) as u8; 40]),
            };
        }
        let function = functions[rng.below(functions.len())];
        let args: Vec<_> = function
            .params
            .iter()
            .map(|ty| match ty {
                Type::I64 if rng.below(2) == 0 => rng.0 as i64,
                _ => rng.pick(&NUMBERS),
            })
            .collect();
        if caller.run(function.name, &args).is_err() {
            caller = guest();
            ended += 1;
        }
    }
    assert!(ended < n / 4, "{ended} runs have ended, so that few calls found anything");
}

#[test]
fn random_calls_never_harm_the_host() {
    let limits = Limits { file_bytes: 1 << 20, descriptors: 50, ..Limits::standard() };
    let (top, dir) = given();
    let mut rng = Rng(0xca11);
    let with = |builder: WasiBuilder| {
        let builder = builder.arg("a").env("b", "c").stdin(Stdin::Bytes(vec![7; 1_000]));
        Guest::with(builder, limits.clone(), "wasi_snapshot_preview1", 32)
    };
    for access in [Access::ReadOnly, Access::ReadWrite, Access::Overlay] {
        write_file(&dir, "a", "text");
        let _ = std::fs::create_dir(dir.join("dir"));
        random_calls(&mut rng, 20_000, || with(WasiCtx::builder().dir(&dir, "/", access)));
    }
    random_calls(&mut rng, 20_000, || with(WasiCtx::builder().memory_dir("/")));
    let beside: Vec<_> = std::fs::read_dir(top.path()).unwrap().collect();
    assert_eq!(beside.len(), 2);
    assert_eq!(std::fs::read_to_string(top.path().join("canary")).unwrap(), "canary");
}
