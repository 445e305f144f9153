//! Fuel: what a run has used, and how much of it the counter register holds.

/// Fuel of a machine, in units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fuel {
    /// Used by all runs so far; `used - surcharges` is how many instructions ran.
    pub used: u64,
    /// The part of `used` that paid for more than instructions: bulk operations, growth, host functions.
    pub surcharges: u64,
    /// No run goes on beyond this; `u64::MAX` for none.
    pub limit: u64,
}

/// Most units that the counter register holds at once. Between test points it may be overdrawn by 1,000 units for each open
/// frame: [`MAX_STACK_BYTES`](crate::vm::MAX_STACK_BYTES) keeps all of them together within 31 bits.
const MOST: u64 = 1 << 30;

/// The fuel of a machine while guest code runs: the register counts down from what was granted.
#[derive(Debug)]
pub(crate) struct Counter {
    pub(crate) fuel: Fuel,
    /// What the register held when `fuel.used` was right.
    granted: i32,
    /// Value of `used` at which the slice ends.
    slice_end: u64,
}

/// What a test point that failed means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The register was only a part of what may be used; it has been filled.
    GoOn,
    /// The slice is used up.
    Slice,
    /// The limit would be exceeded.
    OutOfFuel,
}

impl Counter {
    pub(crate) const fn new() -> Self {
        let fuel = Fuel { used: 0, surcharges: 0, limit: u64::MAX };
        Self { fuel, granted: 0, slice_end: 0 }
    }

    /// Begins a slice of at least one unit and returns what the register is to hold.
    #[inline]
    pub(crate) fn begin(&mut self, slice: u64) -> i32 {
        self.slice_end = self.fuel.used.saturating_add(slice.max(1));
        self.grant()
    }

    /// Brings `used` up to date with the register.
    #[inline]
    pub(crate) fn sync(&mut self, register: i32) {
        let ran = i64::from(self.granted) - i64::from(register);
        self.fuel.used = self.fuel.used.saturating_add_signed(ran);
        self.granted = register;
    }

    /// Returns what the register is to hold from now on; `used` must be up to date.
    #[inline]
    pub(crate) fn grant(&mut self) -> i32 {
        let end = self.slice_end.min(self.fuel.limit);
        self.granted = end.saturating_sub(self.fuel.used).min(MOST) as i32;
        self.granted
    }

    /// Returns what is left of the slice, for another one to [`Self::begin`] after what belongs to none; `used` must be up to
    /// date.
    #[inline]
    pub(crate) const fn left_of_slice(&self) -> u64 {
        self.slice_end.saturating_sub(self.fuel.used)
    }

    /// Takes work that costs no fuel out of the slice, so that the driver looks at the deadline as often as with work that
    /// does, and returns what the register is to hold; `used` must be up to date.
    pub(crate) fn shorten_slice(&mut self, units: u64) -> i32 {
        self.slice_end = self.slice_end.saturating_sub(units);
        self.grant()
    }

    /// Decides about a test point that wants `cost`; `used` must be up to date.
    pub(crate) fn judge(&self, cost: u32) -> Verdict {
        // What cannot be counted any more cannot be paid for either, also without a limit: the register would stay empty
        // and the same test point would fail for ever.
        if self.fuel.used.checked_add(u64::from(cost)).is_none_or(|used| used > self.fuel.limit) {
            Verdict::OutOfFuel
        } else if self.fuel.used >= self.slice_end {
            Verdict::Slice
        } else {
            Verdict::GoOn
        }
    }

    /// Returns whether more was used than is allowed.
    #[inline]
    pub(crate) const fn is_over(&self) -> bool {
        self.fuel.used > self.fuel.limit
    }

    /// Takes a surcharge; returns whether there was enough, else nothing is taken. `used` must be up to date.
    pub(crate) fn surcharge(&mut self, units: u64) -> bool {
        let Some(used) = self.fuel.used.checked_add(units).filter(|used| *used <= self.fuel.limit) else {
            return units == 0;
        };
        self.fuel.used = used;
        self.fuel.surcharges += units;
        true
    }

    /// Gives a surcharge back for an operation that the system refused.
    pub(crate) fn take_back_surcharge(&mut self, units: u64) {
        self.fuel.used = self.fuel.used.saturating_sub(units);
        self.fuel.surcharges = self.fuel.surcharges.saturating_sub(units);
    }

    /// Gives back what was charged for instructions that did not run; `used` must be up to date.
    pub(crate) fn refund(&mut self, units: u32) {
        self.fuel.used = self.fuel.used.saturating_sub(u64::from(units));
    }
}

/// The fuel of a machine while a function of the host runs.
#[derive(Debug)]
pub struct HostFuel<'a> {
    pub(crate) counter: &'a mut Counter,
}

impl HostFuel<'_> {
    /// Returns the fuel used so far, in units.
    #[must_use]
    pub const fn used(&self) -> u64 {
        self.counter.fuel.used
    }

    /// Charges what the function costs; returns whether there was enough, else nothing is charged.
    pub fn charge(&mut self, units: u64) -> bool {
        self.counter.surcharge(units)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_register_never_holds_more_than_slice_and_limit_leave() {
        let mut counter = Counter::new();
        counter.fuel.limit = 100;
        assert_eq!(counter.begin(1_000), 100);
        counter.sync(40);
        assert_eq!(
            (counter.fuel.used, counter.judge(40), counter.judge(41)),
            (60, Verdict::GoOn, Verdict::OutOfFuel)
        );
        assert!(counter.surcharge(40) && !counter.surcharge(1));
        assert_eq!(counter.fuel, Fuel { used: 100, surcharges: 40, limit: 100 });
        counter.fuel.limit = u64::MAX;
        assert_eq!(counter.begin(u64::MAX), 1 << 30);
        assert_eq!(counter.begin(0), 1);
        counter.sync(-5);
        assert_eq!((counter.fuel.used, counter.judge(1)), (106, Verdict::Slice));
        assert_eq!(counter.grant(), 0);
    }

    #[test]
    fn what_cannot_be_counted_is_out_of_fuel() {
        let mut counter = Counter::new();
        counter.begin(u64::MAX);
        assert!(counter.surcharge(u64::MAX - 10) && !counter.surcharge(11));
        assert_eq!((counter.judge(10), counter.judge(11)), (Verdict::GoOn, Verdict::OutOfFuel));
    }
}
