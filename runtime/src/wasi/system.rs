//! Arguments, environment, clocks, random bytes, the end of a run, and the sockets that there are not.

use wasmos_abi::Capability;

use super::abi::Errno;
use super::clock::ClockId;
use super::guest::{Answer, Call};
use crate::host::HostFailure;

/// The most random bytes of one call; more are refused by `inval`, so that no call takes longer than a slice or two.
pub(crate) const RANDOM_BYTES: u32 = 64 << 20;
/// Random bytes for one unit of fuel.
const RANDOM_BYTES_PER_UNIT: u32 = 8;

/// Strings as the guest gets them: one behind the other, each ended by a NUL.
#[derive(Debug, Default)]
pub(crate) struct Strings {
    bytes: Vec<u8>,
    /// Where each begins.
    starts: Vec<u32>,
}

impl Strings {
    /// Returns `None` if there are more bytes than 32 bits count.
    pub(crate) fn new<'a>(strings: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut all = Self::default();
        for string in strings {
            all.starts.push(u32::try_from(all.bytes.len()).ok()?);
            all.bytes.extend_from_slice(string.as_bytes());
            all.bytes.push(0);
        }
        u32::try_from(all.bytes.len()).ok()?;
        Some(all)
    }

    const fn len(&self) -> u32 {
        self.starts.len() as u32
    }

    const fn len_bytes(&self) -> u32 {
        self.bytes.len() as u32
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Which {
    Args,
    Environ,
}

impl Call<'_> {
    fn strings(&self, which: Which) -> &Strings {
        match which {
            Which::Args => &self.ctx.args,
            Which::Environ => &self.ctx.environ,
        }
    }

    pub(crate) fn strings_sizes_get(&mut self, which: Which, len_addr: u32, bytes_addr: u32) -> Answer {
        let (len, len_bytes) = (self.strings(which).len(), self.strings(which).len_bytes());
        self.memory.check(bytes_addr, 4)?;
        self.memory.put_u32(len_addr, len)?;
        Ok(self.memory.put_u32(bytes_addr, len_bytes)?)
    }

    pub(crate) fn strings_get(&mut self, which: Which, pointers_addr: u32, bytes_addr: u32) -> Answer {
        let (len, len_bytes) = (self.strings(which).len(), self.strings(which).len_bytes());
        self.run.charge_bytes(u64::from(len_bytes) + 4 * u64::from(len))?;
        self.memory.check(pointers_addr, len.saturating_mul(4))?;
        self.memory.check(bytes_addr, len_bytes)?;
        let strings = match which {
            Which::Args => &self.ctx.args,
            Which::Environ => &self.ctx.environ,
        };
        for (index, start) in (0_u32..).zip(&strings.starts) {
            self.memory.put_u32(pointers_addr + 4 * index, bytes_addr + start)?;
        }
        Ok(self.memory.put(bytes_addr, &strings.bytes)?)
    }

    pub(crate) fn clock_res_get(&mut self, clock: u32, result_addr: u32) -> Answer {
        let resolution = self.ctx.clocks.resolution(ClockId::new(clock)?);
        Ok(self.memory.put_u64(result_addr, resolution)?)
    }

    /// The precision that is asked for is a wish; the clocks have the one that they have.
    pub(crate) fn clock_time_get(&mut self, clock: u32, _precision: u64, result_addr: u32) -> Answer {
        let now = self.ctx.clocks.now(ClockId::new(clock)?, self.run.fuel.used());
        Ok(self.memory.put_u64(result_addr, now)?)
    }

    pub(crate) fn random_get(&mut self, addr: u32, len_bytes: u32) -> Answer {
        self.memory.check(addr, len_bytes)?;
        if len_bytes > RANDOM_BYTES {
            return Err(Errno::Inval.into());
        }
        self.run.charge(u64::from(len_bytes / RANDOM_BYTES_PER_UNIT))?;
        let bytes = self.memory.write(addr, len_bytes)?;
        if self.ctx.random.fill(bytes) { Ok(()) } else { Err(Errno::Io.into()) }
    }

    /// The status is kept exactly.
    #[expect(clippy::unused_self, reason = "it is called as the others are")]
    pub(crate) fn proc_exit(&mut self, status: u32) -> Answer {
        Err(HostFailure::Exit(status.cast_signed()).into())
    }

    /// A guest is no process that signals could be sent to.
    pub(crate) fn proc_raise(&mut self, _signal: u32) -> Answer {
        Err(self.run.violation(Capability::Exit, "proc_raise", Errno::Notsup))
    }

    pub(crate) fn sched_yield(&mut self) -> Answer {
        self.run.check_interrupted()
    }

    /// Answers for every function of sockets: what is open is no socket.
    pub(crate) fn no_socket(&mut self, fd: u32, function: &'static str) -> Answer {
        let errno = match self.ctx.descriptors.get(fd) {
            Ok(_) => Errno::Notsock,
            Err(errno) => errno,
        };
        Err(self.run.violation(Capability::Sockets, function, errno))
    }
}
