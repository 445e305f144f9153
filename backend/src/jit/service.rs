//! What native code has done by the host's side: thunks call these on the guest's stack.
//!
//! A service that has to let the driver in switches to the driver's stack, and goes on when the activation is resumed; or,
//! where the driver answers calls of the host, has that done on the driver's stack, as a call (J5).
//! Nothing with a destructor lives in a frame that switches (J2).

use core::ptr::NonNull;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wasmos_abi::TrapCode;

use super::layout::{Leave, Pending, Service, Task, VmHost, VmNative};
use crate::vm::state::{State, Waiting};
use crate::vm::{Answer, HostCall, InstanceId, NO_INSTANCE, Stop, TypeId, Verdict, VmContext};

/// Returns the addresses that thunks call.
pub(super) fn addresses() -> [usize; Service::COUNT] {
    let mut addresses = [0; Service::COUNT];
    let charge: unsafe extern "sysv64" fn(*const VmContext, u64) = charge;
    let host_call: unsafe extern "sysv64" fn(*const VmHost, *mut u64, u64) = host_call;
    let perform: unsafe extern "sysv64" fn(*const VmContext, u64, u64, u64, u64, u64) -> u64 = perform;
    addresses[Service::Charge as usize] = charge as usize;
    addresses[Service::HostCall as usize] = host_call as usize;
    addresses[Service::Perform as usize] = perform as usize;
    addresses
}

/// Switches to the driver's stack, until the activation is resumed.
///
/// # Safety
/// J2: the yielder is that of the activation that runs.
unsafe fn leave(native: *mut VmNative, why: Leave) {
    // SAFETY: the caller's promise.
    unsafe { (*(*native).yielder).suspend(why) }
}

/// A test point whose `cost` has been taken and made the counter negative.
///
/// # Safety
/// V3, J2.
unsafe extern "sysv64" fn charge(context: *const VmContext, cost: u64) {
    // SAFETY: the caller's promise.
    unsafe { judge(((*context).state, (*context).native), cost) }
}

/// Returns the address of what a veneer jumps to.
pub(super) fn charge_here_address() -> usize {
    let address: unsafe extern "sysv64" fn(*const u64, i64) -> i64 = charge_here;
    address as usize
}

/// The same, called by way of a stub that says what the cost is, with the thunk's frame pointer and the counter. Returns
/// what the counter is to hold.
///
/// # Safety
/// J2. The thunk returns to a stub that `patch` has made.
unsafe extern "sysv64" fn charge_here(frame: *const u64, fuel: i64) -> i64 {
    // SAFETY: the caller's promise; the return address stands behind the link.
    unsafe {
        let (state, native) = super::trap::running();
        (*native).frame = frame;
        (*native).fuel = fuel;
        let back = *frame.add(1) as *const u8;
        let cost = back.add(super::patch::COST_AT).cast::<u32>().read_unaligned();
        judge((state, native), cost.into());
        (*native).fuel
    }
}

/// Gives a charge back and makes it again when there is fuel for it.
///
/// # Safety
/// V3, J2.
unsafe fn judge((state, native): (*mut State, *mut VmNative), cost: u64) {
    // SAFETY: the caller's promise; V9. References to the state end before a switch.
    unsafe {
        (*native).fuel += cost as i64;
        loop {
            let counter = &mut (*state).counter;
            counter.sync((*native).fuel as i32);
            let why = match counter.judge(cost as u32) {
                Verdict::GoOn => {
                    (*native).fuel = i64::from(counter.grant()) - cost as i64;
                    return;
                }
                Verdict::Slice => Leave::Slice,
                Verdict::OutOfFuel => Leave::OutOfFuel,
            };
            leave(native, why);
        }
    }
}

/// A call of a function of the host: nothing observable happens beyond the limit (promise P3).
///
/// # Safety
/// V3, J2. The slots have room for arguments and results.
unsafe extern "sysv64" fn host_call(host: *const VmHost, slots: *mut u64, left: u64) {
    // SAFETY: the caller's promise; V9. References to the state end before a switch.
    unsafe {
        let (state, native) = ((*host).context.state, (*host).context.native);
        loop {
            let counter = &mut (*state).counter;
            counter.sync((*native).fuel as i32);
            if !counter.is_over() {
                break;
            }
            leave(native, Leave::OutOfFuel);
        }
        let host = NonNull::new_unchecked(host.cast_mut());
        let call = Pending { host, slots, left };
        match (*(*native).active).driver {
            Some(driver) if answered(native, call, driver) => {}
            Some(_) => leave(native, Leave::Ended),
            None => {
                (*native).pending = Some(call);
                leave(native, Leave::HostCall);
            }
        }
    }
}

/// Has a call of the host answered by the driver, on its stack; returns whether the run goes on.
///
/// # Safety
/// V3, J2, J5: the activation that runs has left its frames by a thunk, and the driver is that of its machine.
#[inline]
unsafe fn answered(native: *mut VmNative, call: Pending, (driver, answer): (*mut (), Answer)) -> bool {
    // SAFETY: the caller's promise; V9. References to the state end before the driver is let in, and begin after.
    unsafe {
        let active = (*native).active;
        let state = (*active).state;
        let yielder = (*native).yielder;
        (*active).frame = (*native).frame;
        let left_of_slice = (*state).counter.left_of_slice();
        let instance = (*(*native).caller).instance;
        let host = call.host().host;
        let (slots, n_slots) = (call.slots, call.n_slots());
        for slot in call.host().n_params..n_slots {
            *slots.add(slot) = 0;
        }
        (*active).answering = Some(call);
        let work = OnDriver(move || {
            let caller = (instance != NO_INSTANCE).then_some(InstanceId::new(instance as u32));
            let slots = core::slice::from_raw_parts_mut(slots, n_slots);
            let call = AssertUnwindSafe(|| answer(driver, state, HostCall { host, caller, slots }));
            catch_unwind(call).unwrap_or_else(|panic| {
                (*active).panic = Some(panic);
                false
            })
        });
        super::trap::rest();
        let goes_on = (*yielder).on_parent_stack(move || work.run());
        super::trap::go_on(active);
        (*active).answering = None;
        // What activations above it may have left there.
        ((*native).yielder, (*native).frame) = (yielder, (*active).frame);
        (*state).end_answer(call, (*active).depth, goes_on);
        (*native).fuel = (*state).counter.begin(left_of_slice).into();
        goes_on
    }
}

/// Work for the driver's stack.
struct OnDriver<F>(F);

// SAFETY: J5. Both stacks are of the thread on which the machine runs.
unsafe impl<F> Send for OnDriver<F> {}

impl<F: FnOnce() -> R, R> OnDriver<F> {
    fn run(self) -> R {
        (self.0)()
    }
}

/// One of the [`Task`]s, again and again until it has ended.
///
/// # Safety
/// V3, V7, J2.
unsafe extern "sysv64" fn perform(
    context: *const VmContext,
    task: u64,
    indices: u64,
    a: u64,
    b: u64,
    c: u64,
) -> u64 {
    // SAFETY: the caller's promise; V9. References to the state end before a switch.
    unsafe {
        let (state, native) = ((*context).state, (*context).native);
        let at = InstanceId::new((*context).instance as u32);
        let indices = [indices as u32, (indices >> 32) as u32];
        loop {
            (*state).counter.sync((*native).fuel as i32);
            let result = attempt(&mut *state, at, task as u32, indices, [a, b, c]);
            let why = match result {
                Ok(value) => {
                    (*native).fuel = i64::from((*state).counter.grant());
                    return value;
                }
                Err(Stop::Trap(code)) => Leave::Trap(code),
                Err(Stop::OutOfFuel) => Leave::OutOfFuel,
                Err(Stop::Poll) => Leave::Poll,
                Err(Stop::Wait) => Leave::Wait,
            };
            leave(native, why);
        }
    }
}

fn attempt(
    state: &mut State,
    at: InstanceId,
    task: u32,
    indices: [u32; 2],
    operands: [u64; 3],
) -> Result<u64, Stop> {
    let [a, b, _] = operands;
    let index = indices[0];
    let Some(task) = Task::from_number(task) else { unreachable!("translation writes numbers of tasks") };
    match task {
        Task::MemoryGrow => state.memory_grow(at, index, a),
        Task::MemoryFill => state.memory_fill(at, index, operands),
        Task::MemoryCopy => state.memory_copy(at, indices, operands),
        Task::MemoryInit => state.memory_init(at, indices, operands),
        Task::TableGrow => state.table_grow(at, index, [a, b]),
        Task::TableFill => state.table_fill(at, index, operands),
        Task::TableCopy => state.table_copy(at, indices, operands),
        Task::TableInit => state.table_init(at, indices, operands),
        Task::DataDrop => {
            state.drop_data(at, index);
            Ok(0)
        }
        Task::ElemDrop => {
            state.elem_drop(at, index);
            Ok(0)
        }
        Task::RefFunc => {
            let func = state.func(at, wasmos_frontend::types::FuncIdx(index));
            Ok(func.map_or(0, |func| state.func_bits(func)))
        }
        Task::IsSubtype => {
            let code = &state.instance(at).code;
            Ok(code.is_subtype(TypeId(a as u32), TypeId(b as u32)).into())
        }
        Task::Wait32 => wait::<4>(state, at, index, operands),
        Task::Wait64 => wait::<8>(state, at, index, operands),
        Task::Notify => {
            atomic::<4>(state, at, index, a)?;
            // Nobody waits while a guest of the same machine runs.
            Ok(0)
        }
    }
}

/// Reads `N` bytes for an atomic access: bounds first, then the alignment.
fn atomic<const N: usize>(state: &mut State, at: InstanceId, memory: u32, addr: u64) -> Result<u64, Stop> {
    let bytes = usize::try_from(addr).ok().and_then(|start| {
        let end = start.checked_add(N)?;
        state.bytes_mut(at, memory).get(start..end)
    });
    let Some(bytes) = bytes else { return Err(TrapCode::MemoryOutOfBounds.into()) };
    if !addr.is_multiple_of(N as u64) {
        return Err(TrapCode::UnalignedAtomic.into());
    }
    let mut word = [0; 8];
    word[..N].copy_from_slice(bytes);
    Ok(u64::from_le_bytes(word))
}

fn wait<const N: usize>(
    state: &mut State,
    at: InstanceId,
    memory: u32,
    [addr, expected, timeout]: [u64; 3],
) -> Result<u64, Stop> {
    let value = atomic::<N>(state, at, memory, addr)?;
    let instance = state.instance(at);
    let is_shared =
        instance.code.module().memories.get(memory as usize).is_some_and(|memory| memory.ty.shared);
    if !is_shared {
        return Err(TrapCode::ExpectedSharedMemory.into());
    }
    let id = instance.memories[memory as usize];
    if let Some(result) = state.wait_result.take() {
        return Ok(result.into());
    }
    let expected = if N == 4 { u64::from(expected as u32) } else { expected };
    if value != expected {
        return Ok(1);
    }
    state.waiting = Waiting { timeout_ns: timeout.cast_signed(), memory: id, addr };
    Err(Stop::Wait)
}
