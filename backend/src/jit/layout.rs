//! What native code and the driver share: one record for each machine, read and written at fixed displacements.

use core::mem::offset_of;
use core::ptr::NonNull;

use corosensei::Yielder;
use wasmos_abi::TrapCode;

use super::trap::Active;
use crate::vm::VmContext;

/// Why native code left its stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// The results stand in the slots, and the stack is free for the next activation.
    Returned,
    HostCall,
    /// A call of the host was answered so.
    Ended,
    Slice,
    OutOfFuel,
    Poll,
    Wait,
    /// By a call of a service: the frame that it was called from is known.
    Trap(TrapCode),
    /// By a fault: [`VmNative::fault`] says where.
    Fault,
}

/// Where an instruction of native code faulted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) pc: usize,
    pub(crate) frame: *const u64,
}

/// A call of the host that is due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    pub(crate) host: NonNull<VmHost>,
    /// Where arguments stand and results go.
    pub(crate) slots: *mut u64,
    /// What is left of the call depth, in bytes.
    pub(crate) left: u64,
}

/// What the first native function of an activation is entered with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) enter: *const u8,
    pub(crate) code: *const u8,
    pub(crate) context: *const VmContext,
    pub(crate) slots: *mut u64,
    pub(crate) left: u64,
}

impl Entry {
    pub(crate) const NONE: Self = Self {
        enter: core::ptr::null(),
        code: core::ptr::null(),
        context: core::ptr::null(),
        slots: core::ptr::null_mut(),
        left: 0,
    };
}

/// What native code shares with the driver.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct VmNative {
    /// The counter, while it is not in its register.
    pub(crate) fuel: i64,
    /// Frame pointer of the thunk by which native code left.
    pub(crate) frame: *const u64,
    /// Context of the last call that may have been one of the host.
    pub(crate) caller: *const VmContext,
    /// Addresses of the services.
    pub(crate) services: [usize; Service::COUNT],
    /// How services leave: of the activation that runs.
    pub(crate) yielder: *const Yielder<(), Leave>,
    pub(crate) pending: Option<Pending>,
    /// Of the activation that was started last.
    pub(crate) entry: Entry,
    pub(crate) fault: Fault,
    /// What the driver that resumed it last has on its stack; null while none has.
    pub(crate) active: *mut Active,
}

/// A function of the host's side that thunks call, with the position of its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// A test point that failed.
    Charge,
    /// A call of a function of the host.
    HostCall,
    /// One of the [`Task`]s.
    Perform,
}

impl Service {
    pub(crate) const COUNT: usize = 3;

    pub(crate) const fn displacement(self) -> i32 {
        (offset_of!(VmNative, services) + self as usize * size_of::<usize>()) as i32
    }
}

/// What native code has done for it, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Task {
    MemoryGrow,
    MemoryFill,
    MemoryCopy,
    MemoryInit,
    TableGrow,
    TableFill,
    TableCopy,
    TableInit,
    DataDrop,
    ElemDrop,
    RefFunc,
    IsSubtype,
    Wait32,
    Wait64,
    Notify,
}

impl Task {
    const ALL: [Self; 15] = [
        Self::MemoryGrow,
        Self::MemoryFill,
        Self::MemoryCopy,
        Self::MemoryInit,
        Self::TableGrow,
        Self::TableFill,
        Self::TableCopy,
        Self::TableInit,
        Self::DataDrop,
        Self::ElemDrop,
        Self::RefFunc,
        Self::IsSubtype,
        Self::Wait32,
        Self::Wait64,
        Self::Notify,
    ];

    /// Returns the task of a number that translation has written.
    pub(crate) fn from_number(number: u32) -> Option<Self> {
        Self::ALL.get(number as usize).copied()
    }
}

/// The context of one function of the host: as any other, with the function behind it.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct VmHost {
    pub(crate) context: VmContext,
    /// Position in the machine's list.
    pub(crate) position: usize,
    /// The number by which the host knows it.
    pub(crate) host: u32,
    /// Slots of its parameters and of its results.
    pub(crate) n_params: usize,
    pub(crate) n_results: usize,
    /// Whether results are references, which are checked.
    pub(crate) returns_refs: bool,
}

/// What a veneer jumps through: the address of [`super::service::charge_here`] is behind it.
pub(crate) const VENEER: [u8; 6] = [0xff, 0x25, 0, 0, 0, 0];

pub(crate) const FUEL: i32 = offset_of!(VmNative, fuel) as i32;
pub(crate) const FRAME: i32 = offset_of!(VmNative, frame) as i32;
pub(crate) const CALLER: i32 = offset_of!(VmNative, caller) as i32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_stand_at_their_numbers() {
        for (number, task) in Task::ALL.into_iter().enumerate() {
            assert_eq!((task as usize, Task::from_number(number as u32)), (number, Some(task)));
        }
        assert_eq!(Task::from_number(Task::ALL.len() as u32), None);
    }
}
