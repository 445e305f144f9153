//! What a WASI function works with: the guest's memory, checked; its fuel; the gate; the state.
//!
//! Pointers are checked before anything happens: one that leads outside memory is answered by `fault`, never by a trap,
//! and leaves no effect behind. Nothing has to be aligned.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use wasmos_abi::Capability;
use wasmos_backend::vm::HostFuel;

use super::WasiCtx;
use super::abi::{Errno, Version};
use super::clock::ClockId;
use crate::events::{EventKind, Gate};
use crate::host::HostFailure;
use crate::limits::Limits;
use crate::outcome::Outcome;

/// Why a function does not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The guest is told.
    Errno(Errno),
    /// The run ends.
    End(HostFailure),
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl From<HostFailure> for Failure {
    fn from(failure: HostFailure) -> Self {
        Self::End(failure)
    }
}

impl From<Outcome> for Failure {
    fn from(outcome: Outcome) -> Self {
        Self::End(HostFailure::Guest(Box::new(outcome)))
    }
}

pub(crate) type Answer<T = ()> = Result<T, Failure>;

/// What of a path goes into an event.
const EVENT_PATH_BYTES: usize = 256;
/// How many vectors of a list are looked at, as POSIX systems do; what is behind them is left for the next call.
pub(crate) const MAX_VECTORS: u32 = 1_024;
/// From how many bytes on a call looks at stops and the deadline itself.
const LOOK_UP_BYTES: u32 = 64 * 1024;
/// Bytes that are copied for one unit of fuel (promise P4).
const BYTES_PER_UNIT: u64 = 64;

/// A call of a WASI function.
pub(crate) struct Call<'a> {
    pub(crate) version: Version,
    pub(crate) memory: GuestMemory<'a>,
    pub(crate) ctx: &'a mut WasiCtx,
    pub(crate) run: RunState<'a>,
}

/// What of the store a call sees.
pub(crate) struct RunState<'a> {
    pub(crate) fuel: HostFuel<'a>,
    pub(crate) gate: &'a mut Gate,
    pub(crate) limits: &'a Limits,
    pub(crate) deadline: &'a mut Option<Instant>,
    pub(crate) stop: &'a Arc<AtomicBool>,
}

impl RunState<'_> {
    /// Charges fuel for what the function is about to do.
    pub(crate) fn charge(&mut self, units: u64) -> Answer {
        if self.fuel.charge(units) { Ok(()) } else { Err(Outcome::OutOfFuel.into()) }
    }

    /// Charges the fuel of bytes that are copied.
    pub(crate) fn charge_bytes(&mut self, len_bytes: u64) -> Answer {
        self.charge(len_bytes / BYTES_PER_UNIT)
    }

    /// Charges what leaves the sandbox.
    pub(crate) fn charge_output(&mut self, len_bytes: u64) -> Answer {
        self.gate.charge_output(len_bytes).map_err(|quota| HostFailure::Limit(quota).into())
    }

    /// Remembers an attempt beyond a grant, with the path that was asked for, and returns what the guest is told.
    pub(crate) fn violation(&mut self, capability: Capability, path: &str, errno: Errno) -> Failure {
        let subject = path.as_bytes()[..path.len().min(EVENT_PATH_BYTES)].into();
        self.gate.event(self.fuel.used(), EventKind::Violation { capability, subject });
        errno.into()
    }

    /// Says how the run ends if somebody stops it or its time is up.
    pub(crate) fn check_interrupted(&self) -> Answer {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Outcome::Stopped.into());
        }
        match *self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(Outcome::Deadline.into()),
            _ => Ok(()),
        }
    }

    /// Looks at stops and at the deadline before what copies much; small calls are looked at between them.
    pub(crate) fn look_up(&self, len_bytes: u32) -> Answer {
        if len_bytes < LOOK_UP_BYTES { Ok(()) } else { self.check_interrupted() }
    }

    /// Lets virtual time count against the timeout.
    pub(crate) fn spend(&mut self, ns: u64) -> Answer {
        if let Some(deadline) = self.deadline {
            let earlier = deadline.checked_sub(Duration::from_nanos(ns));
            match earlier.filter(|earlier| *earlier > Instant::now()) {
                Some(earlier) => *deadline = earlier,
                None => return Err(Outcome::Deadline.into()),
            }
        }
        self.check_interrupted()
    }
}

impl Call<'_> {
    /// Returns the time of day in nanoseconds.
    pub(crate) fn now(&self) -> u64 {
        self.ctx.clocks.now(ClockId::Realtime, self.run.fuel.used())
    }
}

/// The memory of the guest that calls.
pub(crate) struct GuestMemory<'a> {
    pub(crate) bytes: &'a mut [u8],
}

impl GuestMemory<'_> {
    fn range(addr: u32, len_bytes: u32) -> std::ops::Range<usize> {
        let addr = addr as usize;
        // Both are 32 bits wide, and only 64-bit hosts have 4 GiB to look at.
        addr..addr.saturating_add(len_bytes as usize)
    }

    pub(crate) fn read(&self, addr: u32, len_bytes: u32) -> Result<&[u8], Errno> {
        self.bytes.get(Self::range(addr, len_bytes)).ok_or(Errno::Fault)
    }

    pub(crate) fn write(&mut self, addr: u32, len_bytes: u32) -> Result<&mut [u8], Errno> {
        self.bytes.get_mut(Self::range(addr, len_bytes)).ok_or(Errno::Fault)
    }

    /// Checks a place for a result before anything happens.
    pub(crate) fn check(&self, addr: u32, len_bytes: u32) -> Result<(), Errno> {
        self.read(addr, len_bytes).map(|_| ())
    }

    pub(crate) fn put(&mut self, addr: u32, field: &[u8]) -> Result<(), Errno> {
        let len_bytes = u32::try_from(field.len()).map_err(|_| Errno::Fault)?;
        self.write(addr, len_bytes)?.copy_from_slice(field);
        Ok(())
    }

    pub(crate) fn put_u32(&mut self, addr: u32, value: u32) -> Result<(), Errno> {
        self.put(addr, &value.to_le_bytes())
    }

    pub(crate) fn put_u64(&mut self, addr: u32, value: u64) -> Result<(), Errno> {
        self.put(addr, &value.to_le_bytes())
    }

    /// Returns a path: UTF-8 without NUL, no longer than the limit.
    pub(crate) fn path(&self, addr: u32, len_bytes: u32, limits: &Limits) -> Result<&str, Errno> {
        let bytes = self.read(addr, len_bytes)?;
        if len_bytes > limits.path_bytes {
            return Err(Errno::Nametoolong);
        }
        let path = std::str::from_utf8(bytes).map_err(|_| Errno::Ilseq)?;
        if path.contains('\0') { Err(Errno::Inval) } else { Ok(path) }
    }

    /// Returns a list of vectors, all of which are checked.
    pub(crate) fn vectors(&self, addr: u32, len: u32) -> Result<Vectors, Errno> {
        let mut vectors = Vectors { addr, len: len.min(MAX_VECTORS), total: 0 };
        self.check(addr, vectors.len * 8)?;
        for index in 0..vectors.len {
            let (addr, len_bytes) = self.vector(vectors, index)?;
            self.check(addr, len_bytes)?;
            vectors.total = vectors.total.saturating_add(len_bytes);
        }
        Ok(vectors)
    }

    /// Returns address and length of a vector of the list.
    pub(crate) fn vector(&self, vectors: Vectors, index: u32) -> Result<(u32, u32), Errno> {
        let entry = self.read(vectors.addr.wrapping_add(index.wrapping_mul(8)), 8)?;
        Ok((u32_at(entry, 0), u32_at(entry, 4)))
    }
}

/// A list of vectors in the guest's memory, which has been checked. A read may overwrite the list itself, so that each
/// entry is checked again when it is used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vectors {
    addr: u32,
    pub(crate) len: u32,
    /// Sum of the lengths in bytes, capped at what a count of bytes can say.
    pub(crate) total: u32,
}

/// Reads a field of a structure that has been fetched whole.
pub(crate) fn u16_at(bytes: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes(field(bytes, offset))
}

/// Reads a field of a structure that has been fetched whole.
pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(field(bytes, offset))
}

/// Reads a field of a structure that has been fetched whole.
pub(crate) fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(field(bytes, offset))
}

fn field<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    bytes.get(offset..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}
