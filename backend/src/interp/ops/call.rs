//! Calls, returns, and the stubs at both ends of a stack.
//!
//! A frame's header, below its pointer: `fp[-4]` is what is left of the call depth in bytes, with the index of the
//! function above it; `fp[-3]` where to return to; `fp[-2]` the caller's frame; `fp[-1]` the context.
//!
//! A call within the instance is `cell | delta u16, n u16, a0 u16, a1 u16 | further arguments, 4 to a word | back`, where
//! `delta` is how far the callee's frame lies from the caller's, in slots. A *back word* is `dst u32 | cost u32`: where
//! the results go and what the caller pays for going on. It stands right before the return address, so that one
//! return fits all calls. With many arguments, which then stand in a row: `cell | delta u32, first u32 | n u32 | back`.
//!
//! A call that may leave the instance has a word more in front of `delta`, and behind its back word an op `reload` with a
//! back word of its own. A callee of the same instance returns behind both; one of another instance, or of the host,
//! returns to `reload`, which reads memory 0 again.
//!
//! The callee's `left` is tested before anything else (promise P6), then fuel.

use core::sync::atomic::Ordering;

use wasmos_abi::TrapCode;

use super::control::test_point;
use super::trap;
use crate::interp::regs::{Acc, Handler, METERED, Registers, Slot, Source, Val, exit, handlers, opaque};
use crate::interp::{Body, Cell, HostStub};
use crate::vm::{BYTES_PER_UNIT, HEADER_SLOTS, InstanceId, NO_INSTANCE, TypeId, VmContext, VmFunc};
use wasmos_frontend::types::FuncIdx;

/// The most arguments that a call lists one by one; more are settled in a row first.
pub(crate) const LISTED: usize = 12;

/// Returns how many words behind the handler hold `delta`, `n` and the listed arguments.
pub(crate) const fn list_words(n: usize) -> usize {
    1 + if n > 2 { (n + 1) / 4 } else { 0 }
}

/// Index of a frame that is no guest function's.
pub(crate) const NO_FUNC: u32 = u32::MAX;

/// What `n` in a list is when the arguments stand in a row, in the words of another layout.
const ROW: usize = u16::MAX as usize;

/// The layout of arguments behind word `at` of an op.
#[derive(Clone, Copy)]
struct Args {
    /// Word of `delta`.
    at: usize,
}

impl Args {
    /// Copies the arguments to `to`, which lies above the frame's slots or is scratch, and returns how many words the
    /// layout has. `N` is how many there are, or [`ANY`].
    ///
    /// # Safety
    /// V5, V6, V7.
    #[inline(always)]
    unsafe fn copy<const N: usize>(self, r: &Registers, to: *mut u64) -> usize {
        // SAFETY: the caller's promise.
        unsafe {
            let byte = self.at * 8;
            let n = if N == ANY { r.u16(byte + 2) } else { N };
            if N == ANY && n == ROW {
                let (first, n) = (r.u32(byte + 8) as usize, r.u32(byte + 12) as usize);
                core::ptr::copy(r.fp.add(first), to, n);
                return 2;
            }
            for index in 0..n {
                to.add(index).write(r.slot(byte + 4 + 2 * index));
            }
            list_words(n)
        }
    }

    /// Returns how far the callee's frame lies from the caller's.
    ///
    /// # Safety
    /// V6, V7.
    #[inline(always)]
    unsafe fn delta<const N: usize>(self, r: &Registers) -> usize {
        // SAFETY: the caller's promise.
        unsafe {
            let byte = self.at * 8;
            if N == ANY && r.u16(byte + 2) == ROW { r.u32(byte + 4) as usize } else { r.u16(byte) }
        }
    }
}

/// A number of arguments that the op says.
const ANY: usize = usize::MAX;

/// Words of the layout of arguments in a row: `0 u16, 0xffff u16, delta u32 | first u32, n u32`.
pub(crate) const fn row_words(delta: u32, first: u32, n: u32) -> [u64; 2] {
    [(ROW as u64) << 16 | (delta as u64) << 32, first as u64 | (n as u64) << 32]
}

/// The return address of the bottom of a stack.
#[repr(C)]
struct Bottom {
    back: u64,
    halt: Handler,
}

static BOTTOM: Bottom = Bottom { back: 0, halt };

/// The return address of a callee that was tail-called into another instance: its results go to slot 1 of a
/// trampoline, whose slot 0 says how many there are.
#[repr(C)]
struct Leave {
    back: u64,
    leave: Handler,
}

static LEAVE: Leave = Leave { back: 1, leave };

/// The op that a new activation begins with: slot 0 has the function, slot 1 how far its frame lies.
static BEGIN: Handler = begin;

/// Returns the address of [`BEGIN`].
pub(crate) fn begin_ip() -> *const u64 {
    (&raw const BEGIN).cast()
}

/// Returns whether an address returns to a trampoline's code or to the bottom, which are no guest's.
pub(crate) fn is_stub(ip: *const u64) -> bool {
    core::ptr::eq(ip, (&raw const LEAVE.leave).cast()) || core::ptr::eq(ip, (&raw const BOTTOM.halt).cast())
}

handlers! {
    fn call[const N: usize](r) {
        let cell = *r.ip.add(1) as *const Cell;
        let args = Args { at: 2 };
        let callee = r.fp.add(args.delta::<N>(&r));
        let words = args.copy::<N>(&r, callee);
        let back = r.ip.add(2 + words + 1);
        let context = r.context();
        let body = (*cell).body.load(Ordering::Acquire);
        enter(r, body, callee, back, context)
    }
    /// The index of the import in word 1; word 2 is unused.
    fn call_import(r) {
        let func = *(*r.context()).imports.add(*r.ip.add(1) as usize);
        call_func(r, func)
    }
    /// Index @8, type @12, table @16.
    fn call_indirect(r) {
        match indirect(&r) {
            Ok(func) => call_func(r, func),
            Err(code) => trap(r, code),
        }
    }
    /// The reference @8.
    fn call_ref(r) {
        let func: u64 = r.slot(8);
        if func == 0 {
            return trap(r, TrapCode::NullFunctionReference);
        }
        call_func(r, func as *const VmFunc)
    }
    fn return_call(r) {
        let cell = *r.ip.add(1) as *const Cell;
        replace_arguments(&r, Args { at: 2 });
        let context = r.context();
        let body = (*cell).body.load(Ordering::Acquire);
        reenter(r, body, context)
    }
    fn return_call_import(r) {
        let func = *(*r.context()).imports.add(*r.ip.add(1) as usize);
        return_call_func(r, func)
    }
    fn return_call_indirect(r) {
        match indirect(&r) {
            Ok(func) => return_call_func(r, func),
            Err(code) => trap(r, code),
        }
    }
    fn return_call_ref(r) {
        let func: u64 = r.slot(8);
        if func == 0 {
            return trap(r, TrapCode::NullFunctionReference);
        }
        return_call_func(r, func as *const VmFunc)
    }

    /// One result, @8 or in the accumulator.
    fn return_one[T: Val, X: Source](r) {
        let (back, caller) = (*r.fp.sub(3) as *const u64, *r.fp.sub(2) as *mut u64);
        let value = X::get::<T>(&r);
        value.write(caller.add(*back.sub(1) as u32 as usize));
        value.set(&mut r);
        go_back(r, back, caller)
    }
    fn return_none(r) {
        let (back, caller) = (*r.fp.sub(3) as *const u64, *r.fp.sub(2) as *mut u64);
        go_back(r, back, caller)
    }
    /// The slots listed from @10, as many as @8 says.
    fn return_listed(r) {
        let (back, caller) = (*r.fp.sub(3) as *const u64, *r.fp.sub(2) as *mut u64);
        let to = caller.add(*back.sub(1) as u32 as usize);
        for index in 0..r.u16(8) {
            to.add(index).write(r.slot(10 + 2 * index));
        }
        go_back(r, back, caller)
    }
    /// Slots in a row, the first @8, as many as @12 says.
    fn return_row(r) {
        let (back, caller) = (*r.fp.sub(3) as *const u64, *r.fp.sub(2) as *mut u64);
        let to = caller.add(*back.sub(1) as u32 as usize);
        core::ptr::copy(r.fp.add(r.u32(8) as usize), to, r.u32(12) as usize);
        go_back(r, back, caller)
    }
    /// Behind a call that left the instance. Its own back word is where a callee that did not leave goes on from, and
    /// what follows is paid already.
    fn reload(r) {
        r.reload();
        r.next(2)
    }
    /// The end of a trampoline: results to where the caller wants them, its memory, then on behind its call.
    fn leave(r) {
        let count = *r.fp as u32;
        let results = r.fp.add(1);
        return_results(r, results, count)
    }

    /// Calls the function of a new activation.
    fn begin(r) {
        let func = *r.fp as *const VmFunc;
        let callee = r.fp.add(*r.fp.add(1) as usize);
        let body = (*(*func).cell).body.load(Ordering::Acquire);
        enter_foreign(r, func, body, callee, (&raw const BOTTOM.halt).cast())
    }
    /// The bottom of a stack: the results stand in its frame. They are not shown beyond the limit (promise P3).
    #[cold]
    #[inline(never)]
    fn halt(r) {
        let counter = &mut (*(*r.context()).state).counter;
        counter.sync(r.fuel);
        let why = if counter.is_over() { exit::OUT_OF_FUEL } else { exit::RETURNED };
        opaque(r.leave(why))
    }
    /// A host's function: leaves with the op behind as the one to go on with. Nothing observable happens beyond the
    /// limit (promise P3).
    #[cold]
    #[inline(never)]
    fn host_call(r) {
        let counter = &mut (*(*r.context()).state).counter;
        counter.sync(r.fuel);
        if counter.is_over() {
            return opaque(r.leave(exit::OUT_OF_FUEL));
        }
        r.ip = r.ip.add(1);
        opaque(r.leave(exit::HOST_CALL))
    }
    /// The results stand where the arguments stood.
    #[cold]
    #[inline(never)]
    fn host_return(r) {
        let stub = r.ip.byte_sub(core::mem::offset_of!(HostStub, back)).cast::<HostStub>();
        let (results, count) = (r.fp, (*stub).n_results);
        return_results(r, results, count)
    }

    /// The stub of a function that has not been called: translates it and enters it again with the real numbers. A
    /// function that cannot run is never published, so that each call of it comes here.
    #[cold]
    #[inline(never)]
    fn lazy(r) {
        let cell = *r.ip.add(1) as *const Cell;
        let callee = r.fp;
        let (back, context) = (*callee.sub(3) as *const u64, *callee.sub(1) as *const VmContext);
        let state = (*context).state;
        // Whatever is dropped is dropped in the block: the call below is in tail position.
        let body = {
            let code = (*state).instance(InstanceId::new((*context).instance as u32)).code.clone();
            match code.translated(&*cell) {
                Ok(body) => body,
                Err(error) => {
                    (*state).refusal = Some(Box::new(error));
                    core::ptr::null()
                }
            }
        };
        if body.is_null() {
            return opaque(r.leave(exit::REFUSED));
        }
        r.fp = *callee.sub(2) as *mut u64;
        enter(r, body, callee, back, context)
    }
    /// A frame that does not fit: `acc` is the body that was to be entered, `mem` the context, `ip` the return address.
    #[cold]
    #[inline(never)]
    fn exhausted(r) {
        let context = r.mem.cast_const().cast::<VmContext>();
        let state = &mut *(*context).state;
        let body = r.acc as *const Body;
        let instance = (*context).instance;
        state.entering = (instance != NO_INSTANCE)
            .then(|| (FuncIdx((*body).func()), InstanceId::new(instance as u32)));
        trap(r, TrapCode::CallStackExhausted)
    }
    /// Out of fuel at a function's entry: the frame stands, the `charge` in front of the body is due.
    #[cold]
    #[inline(never)]
    fn entry_cold(r) {
        r.ip = r.ip.sub(2);
        test_point(r)
    }
    /// An entry with locals to clear: `acc` is the body.
    #[inline(never)]
    fn clear_locals(r) {
        let body = r.acc as *const Body;
        let mut local = r.fp.add((*body).zero_from as usize);
        let mut n = (*body).n_zero;
        if n > 32 {
            return r.to(clear_many);
        }
        while n != 0 {
            // Volatile, so that it does not become a call of `memset`: there are few of them.
            local.write_volatile(0);
            local = local.add(1);
            n -= 1;
        }
        pay_entry(r, body)
    }
    /// The same for many. They may be 800 KB for the price of a call, which would keep the driver from looking at the
    /// deadline for seconds: clearing shortens the slice at the rate of bulk operations (promise P4), and costs nothing.
    #[cold]
    #[inline(never)]
    fn clear_many(r) {
        let body = r.acc as *const Body;
        let n_slots = (*body).n_zero;
        core::ptr::write_bytes(r.fp.add((*body).zero_from as usize), 0, n_slots as usize);
        let counter = &mut (*(*r.context()).state).counter;
        counter.sync(r.fuel);
        r.fuel = counter.shorten_slice(u64::from(n_slots) * 8 / BYTES_PER_UNIT);
        pay_entry(r, body)
    }
    /// A tail call that leaves the instance: `acc` is the function, whose arguments stand in the frame's first slots.
    #[inline(never)]
    fn leave_by_tail_call(r) {
        let func = r.acc as *const VmFunc;
        let body = (*(*func).cell).body.load(Ordering::Acquire);
        let (back, caller) = (*r.fp.sub(3) as *const u64, *r.fp.sub(2) as *mut u64);
        if is_stub(back) || *back.cast::<Handler>() as usize == reload as Handler as usize {
            // Whoever goes on there reads its memory again.
            let frame = r.fp;
            r.fp = caller;
            return enter_foreign(r, func, body, frame, back);
        }
        let (n_params, n_results) = ((*func).n_params as usize, (*func).n_results as usize);
        let frame = r.fp.add(1 + n_results + HEADER_SLOTS);
        core::ptr::copy(r.fp, frame, n_params);
        *r.fp.sub(4) = u64::from(*caller.sub(4) as u32) | u64::from(NO_FUNC) << 32;
        *r.fp.sub(1) = *caller.sub(1);
        *r.fp = n_results as u64;
        enter_foreign(r, func, body, frame, (&raw const LEAVE.leave).cast())
    }
}

/// Finds the function that an indirect call names: index @8, type @12, table @16.
///
/// # Safety
/// V3-V7.
#[inline(always)]
unsafe fn indirect(r: &Registers) -> Result<*const VmFunc, TrapCode> {
    // SAFETY: the caller's promise.
    unsafe {
        let context = r.context();
        let table = *(*context).tables.add(r.u32(16) as usize);
        let index = r.slot::<u64>(8);
        if index >= (*table).len as u64 {
            return Err(TrapCode::UndefinedElement);
        }
        let func = *(*table).elements.add(index as usize) as *const VmFunc;
        if func.is_null() {
            return Err(TrapCode::UninitializedElement);
        }
        let wanted = TypeId(r.u32(12));
        if (*func).type_id != wanted && !is_subtype(context, (*func).type_id, wanted) {
            return Err(TrapCode::IndirectCallType);
        }
        Ok(func)
    }
}

/// Asks the types whether one function type may stand for another.
///
/// # Safety
/// V3.
#[cold]
#[inline(never)]
unsafe fn is_subtype(context: *const VmContext, sub: TypeId, sup: TypeId) -> bool {
    // SAFETY: the caller's promise; V9.
    unsafe {
        let state = &*(*context).state;
        state.instance(InstanceId::new((*context).instance as u32)).code.is_subtype(sub, sup)
    }
}

/// Calls a function that may be another instance's; its arguments are listed from word 3.
///
/// # Safety
/// V3-V8.
#[inline(always)]
unsafe fn call_func(r: Registers, func: *const VmFunc) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        let args = Args { at: 3 };
        let callee = r.fp.add(args.delta::<ANY>(&r));
        let words = args.copy::<ANY>(&r, callee);
        let back = r.ip.add(3 + words + 1);
        let body = (*(*func).cell).body.load(Ordering::Acquire);
        if core::ptr::eq((*func).context, r.context()) {
            // Behind `reload` and its back word.
            return enter(r, body, callee, back.add(2), (*func).context);
        }
        enter_foreign(r, func, body, callee, back)
    }
}

/// Enters a function of another instance.
///
/// # Safety
/// V3-V8.
#[inline(always)]
unsafe fn enter_foreign(
    mut r: Registers,
    func: *const VmFunc,
    body: *const Body,
    callee: *mut u64,
    back: *const u64,
) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        let context = (*func).context;
        let memory = (*context).memory0;
        r.mem = (*memory).base;
        r.len = (*memory).len_bytes as u64;
        enter(r, body, callee, back, context)
    }
}

/// Makes a frame at `callee`, whose arguments stand there, and goes on in the body.
///
/// # Safety
/// V3-V8.
#[inline(always)]
unsafe fn enter(
    mut r: Registers,
    body: *const Body,
    callee: *mut u64,
    back: *const u64,
    context: *const VmContext,
) -> u32 {
    // SAFETY: the caller's promise. V5: the frame fits, because what is left of the depth pays for it.
    unsafe {
        let (left, does_not_fit) = (*r.fp.sub(4) as u32).overflowing_sub((*body).depth_cost);
        if does_not_fit {
            r.acc = body as u64;
            r.mem = context.cast_mut().cast();
            r.ip = back;
            return r.to(exhausted);
        }
        *callee.sub(4) = u64::from(left) | (*body).tag;
        *callee.sub(3) = back as u64;
        *callee.sub(2) = r.fp as u64;
        *callee.sub(1) = context as u64;
        r.fp = callee;
        // The accumulator is dead here: with it goes the only register that there would not be.
        r.acc = body as u64;
        if (*body).n_zero != 0 {
            return r.to(clear_locals);
        }
        pay_entry(r, body)
    }
}

/// Charges and tests a function's entry, whose frame stands.
///
/// # Safety
/// V5, V6.
#[inline(always)]
unsafe fn pay_entry(mut r: Registers, body: *const Body) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        r.ip = (*body).entry;
        if METERED && r.fuel < (*body).test {
            return r.to(entry_cold);
        }
        r.pay((*body).total);
        r.go()
    }
}

/// Goes on behind a call.
///
/// # Safety
/// V5, V6: `back` and `caller` come from the frame's header.
#[inline(always)]
unsafe fn go_back(mut r: Registers, back: *const u64, caller: *mut u64) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        r.pay((*back.sub(1) >> 32) as i32);
        r.fp = caller;
        r.ip = back;
        r.go()
    }
}

/// Returns results that stand in a row, to a caller of another instance.
///
/// # Safety
/// V3, V5, V6.
#[inline(always)]
unsafe fn return_results(mut r: Registers, results: *const u64, count: u32) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        let (back, caller) = (*r.fp.sub(3) as *const u64, *r.fp.sub(2) as *mut u64);
        let to = caller.add(*back.sub(1) as u32 as usize);
        core::ptr::copy(results, to, count as usize);
        // A single result is in the accumulator of its type, whatever that is.
        if count == 1 {
            r.acc = *to;
            r.fa = f64::from_bits(*to);
            r.fs = f32::from_bits(*to as u32);
        }
        r.fp = caller;
        r.reload();
        go_back(r, back, caller)
    }
}

/// Moves the arguments of a tail call to the frame's first slots. They overlap with where they come from, so they go by
/// way of the space above the frame.
///
/// # Safety
/// V5-V7. The scratch is paid by the stack's slack: nothing else is above the frame.
#[inline(always)]
unsafe fn replace_arguments(r: &Registers, args: Args) {
    // SAFETY: the caller's promise.
    unsafe {
        let scratch = r.fp.add(args.delta::<ANY>(r));
        let byte = args.at * 8;
        let n = if r.u16(byte + 2) == ROW { r.u32(byte + 12) as usize } else { r.u16(byte + 2) };
        args.copy::<ANY>(r, scratch);
        core::ptr::copy(scratch, r.fp, n);
    }
}

/// Enters a function in place of the frame.
///
/// # Safety
/// V3-V8.
#[inline(always)]
unsafe fn reenter(mut r: Registers, body: *const Body, context: *const VmContext) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        let (callee, back) = (r.fp, *r.fp.sub(3) as *const u64);
        r.fp = *r.fp.sub(2) as *mut u64;
        enter(r, body, callee, back, context)
    }
}

/// Calls a function that may be another instance's in place of the frame. A function of the host is called from the
/// frame, so that it sees whose call it is (promise P1, and the memory it may reach): its results are returned behind.
///
/// # Safety
/// V3-V8.
#[inline(always)]
unsafe fn return_call_func(mut r: Registers, func: *const VmFunc) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        if (*(*func).context).instance == NO_INSTANCE {
            return call_func(r, func);
        }
        replace_arguments(&r, Args { at: 3 });
        if core::ptr::eq((*func).context, r.context()) {
            let body = (*(*func).cell).body.load(Ordering::Acquire);
            return reenter(r, body, (*func).context);
        }
        r.acc = func as u64;
        r.to(leave_by_tail_call)
    }
}

/// Calls within the instance, by the number of arguments; the last one for any.
pub(crate) const CALL: [Handler; 6] = [call::<0>, call::<1>, call::<2>, call::<3>, call::<4>, call::<ANY>];

/// Returns of one value of a type: in a slot, in the accumulator.
pub(crate) const fn return_forms<T: Val>() -> [Handler; 2] {
    [return_one::<T, Slot<8>>, return_one::<T, Acc>]
}

/// The first words of what a function of the host has for code.
pub(crate) const HOST_STUB: [Handler; 2] = [host_call, host_return];
