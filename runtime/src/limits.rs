//! What a store may use. Each limit ends a run, or refuses a growth, exactly where it says.

use std::time::Duration;

/// What a store may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Fuel, in units of promise P2; `None` counts without a limit.
    pub fuel: Option<u64>,
    /// Time from the first instantiation on; sleeps under the virtual clock count as if they had been waited for.
    pub timeout: Option<Duration>,
    /// Sum of all memories and, at 8 bytes an element, tables; growth beyond it is refused. `None`: what modules ask for.
    pub memory_bytes: Option<u64>,
    /// Depth of calls, in bytes of promise P6; at most [`MAX_STACK_BYTES`](crate::MAX_STACK_BYTES), which stands for more.
    pub stack_bytes: u32,
    /// Elements of each table.
    pub table_elements: u64,
    /// Calls from the guest to the host.
    pub host_calls: Option<u64>,
    /// Bytes that the guest logs and writes: to standard streams and into files of the host.
    pub output_bytes: Option<u64>,
    /// Descriptors that are open at once, the standard streams and the given directories among them.
    pub descriptors: u32,
    /// Files, directories and links that are made or changed in memory.
    pub files: u64,
    /// Bytes of memory that they take, names and listings included.
    pub file_bytes: u64,
    /// Length of a path and of a symbolic link's target, in bytes; a name in it has at most 255.
    pub path_bytes: u32,
}

const MIB: u64 = 1 << 20;

impl Limits {
    /// For what is known to be small: a million units, 5 seconds, 1,000 host calls, 16 MiB, 64 descriptors.
    #[must_use]
    pub const fn strict() -> Self {
        Self {
            fuel: Some(1_000_000),
            timeout: Some(Duration::from_secs(5)),
            memory_bytes: Some(16 * MIB),
            stack_bytes: MIB as u32,
            table_elements: 10_000_000,
            host_calls: Some(1_000),
            output_bytes: Some(MIB),
            descriptors: 64,
            files: 1_000,
            file_bytes: 16 * MIB,
            path_bytes: 4_096,
        }
    }

    /// For real programs: 50 G units, 30 seconds, 10 M host calls, 1 GiB, 1,000 descriptors.
    #[must_use]
    pub const fn standard() -> Self {
        Self {
            fuel: Some(50_000_000_000),
            timeout: Some(Duration::from_secs(30)),
            memory_bytes: Some(1024 * MIB),
            host_calls: Some(10_000_000),
            output_bytes: Some(256 * MIB),
            descriptors: 1_000,
            files: 100_000,
            file_bytes: 1024 * MIB,
            ..Self::strict()
        }
    }

    /// Counts everything and ends nothing; memories grow to their own maximum.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self {
            fuel: None,
            timeout: None,
            memory_bytes: None,
            host_calls: None,
            output_bytes: None,
            descriptors: 1 << 20,
            files: u64::MAX,
            file_bytes: u64::MAX,
            ..Self::strict()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::standard()
    }
}
