//! Clocks: virtual by default, so that a run repeats.
//!
//! The virtual clock is a definition: a unit of fuel takes one nanosecond, and a sleep takes as long as it says. Sleeps
//! advance it at once; they count against the store's timeout as if somebody had waited.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::abi::Errno;

/// Where the time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockSource {
    /// A unit of fuel is a nanosecond, a sleep takes no time and advances the clock.
    Virtual {
        /// What the clock of the day shows when the run begins, in nanoseconds since 1970.
        start_ns: u64,
    },
    /// The host's clocks, coarsened.
    Real {
        /// Readings are multiples of this, in nanoseconds.
        resolution_ns: u64,
    },
}

impl ClockSource {
    /// When runs under the virtual clock begin: 2025-01-01, 00:00 UTC. Late enough for archives, which know no year
    /// before 1980.
    pub const DEFAULT_START_NS: u64 = 1_735_689_600_000_000_000;
    /// Coarse enough to tell no cache hit from a miss.
    pub const DEFAULT_RESOLUTION_NS: u64 = 100_000;

    /// The host's clocks, in steps of 0.1 ms.
    #[must_use]
    pub const fn real() -> Self {
        Self::Real { resolution_ns: Self::DEFAULT_RESOLUTION_NS }
    }
}

impl Default for ClockSource {
    fn default() -> Self {
        Self::Virtual { start_ns: Self::DEFAULT_START_NS }
    }
}

/// A clock by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockId {
    Realtime,
    Monotonic,
    /// Of the process or of the thread: a guest is one of each.
    CpuTime,
}

impl ClockId {
    pub(crate) const fn new(number: u32) -> Result<Self, Errno> {
        Ok(match number {
            0 => Self::Realtime,
            1 => Self::Monotonic,
            2 | 3 => Self::CpuTime,
            _ => return Err(Errno::Inval),
        })
    }
}

/// The clocks of a run.
#[derive(Debug)]
pub(crate) struct Clocks {
    source: ClockSource,
    /// What sleeps have advanced the virtual clock by.
    slept_ns: u64,
    begin: Instant,
}

impl Clocks {
    pub(crate) fn new(source: ClockSource) -> Self {
        Self { source, slept_ns: 0, begin: Instant::now() }
    }

    pub(crate) const fn is_virtual(&self) -> bool {
        matches!(self.source, ClockSource::Virtual { .. })
    }

    /// Returns the time of a clock in nanoseconds, `fuel` units having been used.
    pub(crate) fn now(&self, clock: ClockId, fuel: u64) -> u64 {
        match (self.source, clock) {
            // Time on the processor is fuel, whatever the other clocks are.
            (_, ClockId::CpuTime) => fuel,
            (ClockSource::Virtual { .. }, ClockId::Monotonic) => fuel.saturating_add(self.slept_ns),
            (ClockSource::Virtual { start_ns }, ClockId::Realtime) => {
                start_ns.saturating_add(fuel).saturating_add(self.slept_ns)
            }
            (ClockSource::Real { resolution_ns }, ClockId::Monotonic) => {
                coarsen(self.begin.elapsed(), resolution_ns)
            }
            (ClockSource::Real { resolution_ns }, ClockId::Realtime) => {
                coarsen(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(), resolution_ns)
            }
        }
    }

    /// Returns the resolution of a clock in nanoseconds.
    pub(crate) const fn resolution(&self, clock: ClockId) -> u64 {
        match (self.source, clock) {
            (ClockSource::Real { resolution_ns }, ClockId::Realtime | ClockId::Monotonic) => {
                if resolution_ns == 0 { 1 } else { resolution_ns }
            }
            _ => 1,
        }
    }

    /// Advances the virtual clock.
    pub(crate) const fn sleep(&mut self, ns: u64) {
        self.slept_ns = self.slept_ns.saturating_add(ns);
    }
}

fn coarsen(time: Duration, resolution_ns: u64) -> u64 {
    let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    ns - ns % resolution_ns.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtual_time_is_fuel_and_sleeps() {
        let mut clocks = Clocks::new(ClockSource::Virtual { start_ns: 1_000 });
        assert_eq!(clocks.now(ClockId::Realtime, 5), 1_005);
        clocks.sleep(20);
        assert_eq!(clocks.now(ClockId::Monotonic, 7), 27);
        assert_eq!((clocks.now(ClockId::CpuTime, 7), clocks.now(ClockId::Realtime, 7)), (7, 1_027));
        clocks.sleep(u64::MAX);
        assert_eq!(clocks.now(ClockId::Realtime, 7), u64::MAX);
    }

    #[test]
    fn real_time_comes_in_steps_and_never_goes_back() {
        let clocks = Clocks::new(ClockSource::real());
        let mut last = 0;
        for _ in 0..1_000 {
            let now = clocks.now(ClockId::Monotonic, 0);
            assert!(now >= last && now.is_multiple_of(ClockSource::DEFAULT_RESOLUTION_NS));
            last = now;
        }
    }
}
