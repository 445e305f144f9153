//! The grammar of `run`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use wasmos_runtime::{Limits, MAX_STACK_BYTES, UnknownImports};

use crate::args::guest::GuestArgs;
use crate::args::{CodeArgs, NanArgs, TierArgs};
use crate::units::{self, Limit};

/// Run a module under limits of fuel, time, memory and host calls
///
/// Runs the export that --invoke names, else `_start`, else the only export without parameters; `_initialize`
/// runs first in a reactor. Everything behind FILE goes to the guest: as its arguments, or with --invoke as
/// the parameters (integers in decimal or 0x, floats, nan, inf). Results go to stdout, one per line, integers signed. How the run
/// ended, and what it used, goes to stderr.
///
/// Linked are WASI preview 1 (`wasi_snapshot_preview1`, `wasi_unstable`) and the wasmos ABI, in the modules `wasmos`
/// and `env`: `read_sensor(id) -> i32`, `log(ptr, len)`, `send_alert(ptr, len, level)`. Messages are shown on stderr.
/// A guest has no directory and no environment unless it is given; its clock is virtual and its random bytes are
/// seeded, so that a run repeats.
///
/// `wasmos help exit-codes` says how the exit code tells the endings apart, `wasmos help json` describes the output
/// of --json.
#[derive(Debug, Parser)]
#[command(
    args_override_self = true,
    override_usage = "wasmos run [OPTIONS] <FILE> [ARGS]...",
    after_help = "Profiles:\n  \
        strict     1M fuel, 5 s, 1k host calls, 16 MiB memory, 1 MiB output,\n  \
        \u{20}          64 descriptors, 1k files of 16 MiB in memory; --gate\n  \
        standard   50G fuel, 30 s, 10M host calls, 1 GiB memory, 256 MiB output,\n  \
        \u{20}          1k descriptors, 100k files of 1 GiB in memory\n  \
        unlimited  counts everything, ends nothing; memories up to their own maximum\n\n\
        Examples:\n  \
        wasmos run module.wasm\n  \
        wasmos run --invoke gcd math.wasm 48 18\n  \
        wasmos run --fuel 5M --timeout 500ms --max-memory 16MiB module.wasm\n  \
        wasmos run --dir src::/src rg.wasm -n unsafe /src\n  \
        wasmos run --dir .::/w:overlay --save-overlay out tool.wasm /w/in.txt\n  \
        wasmos run --profile strict --deny alert --sensor 1=42 module.wasm\n  \
        wasmos run --quiet --json=outcome.json module.wasm"
)]
pub(crate) struct RunArgs {
    /// Run this export; ARGS are its parameters
    #[arg(long, value_name = "NAME")]
    pub(crate) invoke: Option<String>,

    #[command(flatten)]
    pub(crate) tier: TierArgs,

    #[command(flatten)]
    pub(crate) nan: NanArgs,

    #[command(flatten)]
    pub(crate) code: CodeArgs,

    /// The limits of what is not given otherwise
    #[arg(long, value_enum, default_value_t = Profile::Standard)]
    profile: Profile,

    /// Read flags from a TOML file: a key is a flag's name without --
    ///
    /// Flags that can be repeated are lists. Flags on the command line win; what --deny withholds adds up.
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) config: Option<PathBuf>,

    /// End the run when N instructions have begun (5M, unlimited)
    #[arg(long, value_name = "N", value_parser = units::count)]
    fuel: Option<Limit<u64>>,

    /// End the run after T, counted from instantiation (500ms, 2s)
    #[arg(long, value_name = "T", value_parser = units::time)]
    timeout: Option<Limit<Duration>>,

    /// Bound the sum of all memories and tables (16MiB)
    #[arg(long, value_name = "B", value_parser = units::bytes)]
    max_memory: Option<Limit<u64>>,

    /// Bound the depth of calls, 1MiB by default
    #[arg(long, value_name = "B", value_parser = stack_bytes)]
    max_stack: Option<u32>,

    /// Bound the elements of each table, 10M by default
    #[arg(long, value_name = "N", value_parser = units::count)]
    max_table: Option<Limit<u64>>,

    /// End the run at the call of the host after N
    #[arg(long, value_name = "N", value_parser = units::count)]
    max_host_calls: Option<Limit<u64>>,

    /// End the run when the guest has written B bytes
    #[arg(long, value_name = "B", value_parser = units::bytes)]
    max_output: Option<Limit<u64>>,

    /// Bound the files and directories that are open at once
    #[arg(long, value_name = "N", value_parser = units::count)]
    max_fds: Option<Limit<u64>>,

    /// Bound the files that are made in memory
    #[arg(long, value_name = "N", value_parser = units::count)]
    max_files: Option<Limit<u64>>,

    /// Bound the bytes of files in memory
    #[arg(long, value_name = "B", value_parser = units::bytes)]
    max_file_bytes: Option<Limit<u64>>,

    #[command(flatten)]
    pub(crate) guest: GuestArgs,

    /// Fix the reading of a sensor; others follow from the seed
    #[arg(long = "sensor", value_name = "ID=V", value_parser = Sensor::parse)]
    pub(crate) sensors: Vec<Sensor>,

    /// Derive what is simulated from this number
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    /// What becomes of imports that nobody offers
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Unknown::Refuse)]
    pub(crate) unknown_imports: Unknown,

    /// Show each call on stderr as it happens: calls, or host (only those of the host)
    #[arg(long, value_name = "WHAT", value_parser = Trace::parse)]
    pub(crate) trace: Option<Trace>,

    /// Write the events of the run to FILE as they happen, one line of JSON each
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,

    /// Analyse the module first and refuse it if it is graded severe; on in the profile strict
    #[arg(long)]
    gate: bool,

    /// Run what the gate would refuse
    #[arg(long)]
    accept_risk: bool,

    /// Write the analysis and what happened in the run as a page to FILE
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,

    /// Print no report
    #[arg(long)]
    pub(crate) quiet: bool,

    /// Write the outcome as one line of JSON, last on stderr or to PATH
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true)]
    pub(crate) json: Option<Option<PathBuf>>,

    /// Module: .wasm, .wat (text, at most 16 MiB), an artifact of `compile`, or - for stdin; behind it ARGS
    #[arg(value_name = "FILE", required = true, trailing_var_arg = true, num_args = 1..)]
    file_and_args: Vec<OsString>,
}

impl RunArgs {
    pub(crate) fn file(&self) -> &Path {
        Path::new(self.file_and_args.first().map_or("".as_ref(), OsString::as_os_str))
    }

    /// Whether the module is analysed before it runs, and what is graded severe refused.
    pub(crate) fn has_gate(&self) -> bool {
        (self.gate || self.profile == Profile::Strict) && !self.accept_risk
    }

    /// What stands behind FILE.
    pub(crate) fn guest_args(&self) -> &[OsString] {
        self.file_and_args.get(1..).unwrap_or(&[])
    }

    /// Returns the limits: those of the profile where no flag says otherwise.
    pub(crate) fn limits(&self) -> Limits {
        let profile = self.profile.limits();
        Limits {
            fuel: self.fuel.map_or(profile.fuel, Limit::at),
            timeout: self.timeout.map_or(profile.timeout, Limit::at),
            memory_bytes: self.max_memory.map_or(profile.memory_bytes, Limit::at),
            stack_bytes: self.max_stack.unwrap_or(profile.stack_bytes),
            table_elements: self
                .max_table
                .map_or(profile.table_elements, |limit| limit.at().unwrap_or(u64::MAX)),
            host_calls: self.max_host_calls.map_or(profile.host_calls, Limit::at),
            output_bytes: self.max_output.map_or(profile.output_bytes, Limit::at),
            descriptors: self.max_fds.map_or(profile.descriptors, |limit| saturated(limit.at())),
            files: self.max_files.map_or(profile.files, |limit| limit.at().unwrap_or(u64::MAX)),
            file_bytes: self
                .max_file_bytes
                .map_or(profile.file_bytes, |limit| limit.at().unwrap_or(u64::MAX)),
            ..profile
        }
    }
}

fn saturated(limit: Option<u64>) -> u32 {
    limit.map_or(u32::MAX, |limit| u32::try_from(limit).unwrap_or(u32::MAX))
}

/// A set of limits with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Profile {
    Strict,
    Standard,
    Unlimited,
}

impl Profile {
    const fn limits(self) -> Limits {
        match self {
            Self::Strict => Limits::strict(),
            Self::Standard => Limits::standard(),
            Self::Unlimited => Limits::unlimited(),
        }
    }
}

/// What becomes of imports that nobody offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Unknown {
    /// Linking fails
    Refuse,
    /// A function traps when it is called
    Trap,
    /// A function returns zeros
    Zero,
}

impl From<Unknown> for UnknownImports {
    fn from(unknown: Unknown) -> Self {
        match unknown {
            Unknown::Refuse => Self::Refuse,
            Unknown::Trap => Self::Trap,
            Unknown::Zero => Self::Zero,
        }
    }
}

/// The reading of a sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sensor {
    pub(crate) id: i32,
    pub(crate) value: i32,
}

impl Sensor {
    fn parse(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is no i32"));
        let (id, value) = text.split_once('=').ok_or("write ID=V, e.g. 1=42")?;
        Ok(Self { id: number(id)?, value: number(value)? })
    }
}

/// Depth of calls has no `unlimited`: the stack is reserved before the guest runs.
fn stack_bytes(text: &str) -> Result<u32, String> {
    match units::bytes(text)? {
        Limit::At(bytes) if bytes <= MAX_STACK_BYTES.into() => Ok(bytes as u32),
        _ => Err(format!("at most {}MiB", MAX_STACK_BYTES >> 20)),
    }
}

/// What is shown as it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trace {
    Calls,
    Host,
}

impl Trace {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "host" => Ok(Self::Host),
            "calls" => Ok(Self::Calls),
            _ => Err("there is no such trace; there are calls and host".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> RunArgs {
        RunArgs::try_parse_from([&["run"], args].concat()).expect("the arguments are right")
    }

    #[test]
    fn everything_behind_the_file_is_the_guests() {
        let args = parse(&["--fuel", "7", "rg.wasm", "--version", "--fuel", "9", "-h", "--", "-"]);
        assert_eq!((args.file(), args.limits().fuel), (Path::new("rg.wasm"), Some(7)));
        assert_eq!(args.guest_args(), ["--version", "--fuel", "9", "-h", "--", "-"]);
        let args = parse(&["-", "--quiet"]);
        assert_eq!((args.file(), args.quiet), (Path::new("-"), false));
    }

    #[test]
    fn the_profile_strict_has_a_gate() {
        assert!(parse(&["--profile", "strict", "x.wasm"]).has_gate());
        assert!(parse(&["--gate", "x.wasm"]).has_gate());
        assert!(!parse(&["x.wasm"]).has_gate());
        assert!(!parse(&["--gate", "--profile", "strict", "--accept-risk", "x.wasm"]).has_gate());
    }

    #[test]
    fn a_flag_wins_over_the_profile_and_the_later_over_the_earlier() {
        assert_eq!(parse(&["x.wasm"]).limits(), Limits::standard());
        let args = parse(&["--fuel", "5", "--profile", "strict", "--fuel", "unlimited", "x.wasm"]);
        assert_eq!(args.limits(), Limits { fuel: None, ..Limits::strict() });
        let args =
            parse(&["--deny", "log", "--deny", "alert", "--sensor", "1=2", "--sensor", "1=3", "x.wasm"]);
        assert_eq!((args.guest.deny.len(), args.sensors.len()), (2, 2));
        let args = parse(&["--max-table", "unlimited", "--max-stack", "64k", "x.wasm"]);
        assert_eq!((args.limits().table_elements, args.limits().stack_bytes), (u64::MAX, 64 << 10));
    }

    /// The table of profiles in the help is text: these are the numbers behind it.
    #[test]
    fn the_profiles_are_those_of_the_help() {
        let strict = Limits::strict();
        assert_eq!((strict.fuel, strict.host_calls), (Some(1_000_000), Some(1_000)));
        assert_eq!((strict.memory_bytes, strict.output_bytes), (Some(16 << 20), Some(1 << 20)));
        let standard = Limits::standard();
        assert_eq!((standard.fuel, standard.host_calls), (Some(50_000_000_000), Some(10_000_000)));
        assert_eq!((standard.memory_bytes, standard.output_bytes), (Some(1 << 30), Some(256 << 20)));
        assert_eq!([strict.timeout, standard.timeout], [5, 30].map(|s| Some(Duration::from_secs(s))));
        assert_eq!((standard.stack_bytes, standard.table_elements), (1 << 20, 10_000_000));
        assert_eq!((strict.descriptors, standard.descriptors), (64, 1_000));
        assert_eq!((strict.files, standard.files), (1_000, 100_000));
        assert_eq!((strict.file_bytes, standard.file_bytes), (16 << 20, 1 << 30));
    }
}
