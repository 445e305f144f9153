//! Who drives a machine, and answers calls of the host where they are made.

use crate::vm::state::State;
use crate::vm::{Exit, InstanceId, Machine};

/// A call of a function of the host, while it is pending.
#[derive(Debug)]
pub struct HostCall<'a> {
    /// The number by which the host knows the function.
    pub host: u32,
    /// The instance that called.
    pub caller: Option<InstanceId>,
    /// Its arguments, then its results: as many slots as the longer of them.
    pub slots: &'a mut [u64],
}

/// What has a machine, and answers calls of the host.
pub trait Driver {
    /// Returns the machine: always the same one while it runs.
    fn machine(&mut self) -> &mut Machine;

    /// Answers a call: reads arguments and writes results. It may do anything with the machine that the driver of a pending
    /// call may, activations above the one that called included, which are gone when it returns. A
    /// panic ends the run, and goes on where the machine was resumed.
    ///
    /// Returns whether the run goes on; else the machine leaves with [`Exit::Ended`].
    fn answer(&mut self, call: HostCall<'_>) -> bool;
}

/// Answers a call, given the address of a driver.
pub(crate) type Answer = unsafe fn(*mut (), *mut State, HostCall<'_>) -> bool;

/// Runs the topmost activation as [`Machine::resume`] does. Where it can the machine has calls of the host answered, else
/// it leaves with [`Exit::HostCall`]: the interpreter always does.
///
/// # Panics
/// As [`Machine::resume`]. A driver that replaces its machine in an answer, or leaves activations behind, ends the process.
pub fn resume<D: Driver>(driver: &mut D, slice: u64) -> Exit {
    let machine = driver.machine();
    if !machine.is_native() {
        return machine.resume(slice);
    }
    let state = machine.state_ptr();
    // SAFETY: V9, J5. The driver stays borrowed while the machine runs, and is reached by this pointer alone.
    unsafe { crate::jit::resume(state, slice, Some((core::ptr::from_mut(driver).cast(), answer::<D>))) }
}

/// Has a call answered by the driver at an address.
///
/// # Safety
/// J5: there is a `D` there that is borrowed by [`resume`] and by nothing else now.
unsafe fn answer<D: Driver>(driver: *mut (), state: *mut State, call: HostCall<'_>) -> bool {
    // SAFETY: the caller's promise.
    let driver = unsafe { &mut *driver.cast::<D>() };
    let goes_on = driver.answer(call);
    if !core::ptr::eq(driver.machine().state_ptr(), state) {
        // Frames of another machine's guest lie below this one's.
        std::process::abort();
    }
    goes_on
}
