//! The registers of the interpreter, the signature of its handlers, and how one op follows another.
//!
//! An op is a row of 64-bit words: its handler's address, then operands. A handler ends by calling the next op's, with
//! the same signature, so that the compiler makes a jump of it: no loop, no stack. Where the compiler does not promise
//! that (without optimisation, and on targets whose registers do not hold all arguments), a handler stores its
//! registers and returns to a loop instead ([`THREADED`]).
//!
//! What keeps a handler at six to ten instructions, without a prologue: cold exits are calls of the same signature to
//! functions that are not inlined and whose result is opaque ([`opaque`]); nothing with a destructor; no panic; in a
//! branch first the target is computed, then the fuel subtracted, then tested.

use core::hint::black_box;

use wasmos_frontend::instr::V128;

use crate::vm::VmContext;

/// Whether handlers call each other. Unoptimised code would use the host's stack for each op, so it returns to a loop.
pub(crate) const THREADED: bool = cfg!(all(target_arch = "x86_64", not(debug_assertions)));

/// Whether guests pay for what they run, and are tested. Only `bench/` builds it without, to measure what that costs: no
/// limit on fuel or time holds then.
pub(crate) const METERED: bool = !cfg!(wasmos_unmetered);

/// What a handler returns when the machine leaves, or for each op where dispatch is a loop.
pub(crate) mod exit {
    /// The loop is to go on with the stored registers.
    pub(crate) const NEXT: u32 = 0;
    pub(crate) const RETURNED: u32 = 1;
    pub(crate) const HOST_CALL: u32 = 2;
    pub(crate) const SLICE: u32 = 3;
    pub(crate) const OUT_OF_FUEL: u32 = 4;
    pub(crate) const POLL: u32 = 5;
    pub(crate) const WAIT: u32 = 6;
    pub(crate) const TRAP: u32 = 7;
    pub(crate) const REFUSED: u32 = 8;
    pub(crate) const STEP: u32 = 9;
}

/// A handler: `ip, fp, fuel, acc, mem, len, fa, fs`, in the order of [`Registers`].
///
/// The order is chosen for x86-64: the accumulator is `rcx`, where a shift wants its distance.
#[cfg(target_arch = "x86_64")]
pub(crate) type Handler =
    unsafe extern "sysv64" fn(*const u64, *mut u64, i32, u64, *mut u8, u64, f64, f32) -> u32;
/// A handler: `ip, fp, fuel, acc, mem, len, fa, fs`, in the order of [`Registers`].
#[cfg(not(target_arch = "x86_64"))]
pub(crate) type Handler = unsafe extern "C" fn(*const u64, *mut u64, i32, u64, *mut u8, u64, f64, f32) -> u32;

/// The registers of the interpreter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registers {
    /// The op.
    pub(crate) ip: *const u64,
    /// Slot 0 of the frame; the header lies below.
    pub(crate) fp: *mut u64,
    /// What is left of the fuel that was granted; negative where it was overdrawn between test points.
    pub(crate) fuel: i32,
    /// Copy of the slot that was last written with an integer.
    pub(crate) acc: u64,
    /// First byte of memory 0.
    pub(crate) mem: *mut u8,
    /// Bytes of memory 0.
    pub(crate) len: u64,
    /// Copy of the slot that was last written with a 64-bit float.
    pub(crate) fa: f64,
    /// Copy of the slot that was last written with a 32-bit float.
    pub(crate) fs: f32,
}

impl Registers {
    pub(crate) const fn none() -> Self {
        let (ip, fp, mem) = (core::ptr::null(), core::ptr::null_mut(), core::ptr::null_mut());
        Self { ip, fp, fuel: 0, acc: 0, mem, len: 0, fa: 0.0, fs: 0.0 }
    }

    /// Returns the operand of 16 bits at a byte of the op.
    ///
    /// # Safety
    /// V6, V7: the op has it.
    #[inline(always)]
    pub(crate) unsafe fn u16(&self, byte: usize) -> usize {
        // SAFETY: the caller's promise.
        unsafe { *self.ip.cast::<u8>().add(byte).cast::<u16>() as usize }
    }

    /// Returns the operand of 32 bits at a byte of the op.
    ///
    /// # Safety
    /// V6, V7: the op has it.
    #[inline(always)]
    pub(crate) unsafe fn u32(&self, byte: usize) -> u32 {
        // SAFETY: the caller's promise.
        unsafe { *self.ip.cast::<u8>().add(byte).cast::<u32>() }
    }

    /// Returns the signed operand of 32 bits at a byte of the op.
    ///
    /// # Safety
    /// V6, V7: the op has it.
    #[inline(always)]
    pub(crate) unsafe fn i32(&self, byte: usize) -> i32 {
        // SAFETY: the caller's promise.
        unsafe { *self.ip.cast::<u8>().add(byte).cast::<i32>() }
    }

    /// Returns the slot that the operand at a byte of the op names.
    ///
    /// # Safety
    /// V5, V6, V7: the op has it, and the slot lies in the frame.
    #[inline(always)]
    pub(crate) unsafe fn slot<T: Val>(&self, byte: usize) -> T {
        // SAFETY: the caller's promise.
        unsafe { T::read(self.fp.add(self.u16(byte))) }
    }

    /// Writes the slot that the operand at byte 8 names, and the accumulator.
    ///
    /// # Safety
    /// V5, V6, V7: as above.
    #[inline(always)]
    pub(crate) unsafe fn put<T: Val>(&mut self, value: T) {
        // SAFETY: the caller's promise.
        unsafe { value.write(self.fp.add(self.u16(8))) }
        value.set(self);
    }

    /// Goes on with the op at `ip`.
    ///
    /// # Safety
    /// V5, V6, V8 hold of the registers.
    #[inline(always)]
    pub(crate) unsafe fn go(self) -> u32 {
        // SAFETY: the caller's promise.
        unsafe { if THREADED { self.step() } else { self.leave(exit::NEXT) } }
    }

    /// Calls the handler of the op at `ip`.
    ///
    /// # Safety
    /// V5, V6, V8 hold of the registers.
    #[inline(always)]
    pub(crate) unsafe fn step(self) -> u32 {
        // SAFETY: V6. The first word of an op is its handler's address; the rest is the caller's promise.
        unsafe {
            let handler = *self.ip.cast::<Handler>();
            handler(self.ip, self.fp, self.fuel, self.acc, self.mem, self.len, self.fa, self.fs)
        }
    }

    /// Goes on with the op that stands `words` further on.
    ///
    /// # Safety
    /// V5, V6, V8 hold, and the op has that length.
    #[inline(always)]
    pub(crate) unsafe fn next(mut self, words: usize) -> u32 {
        // SAFETY: the caller's promise.
        unsafe {
            self.ip = self.ip.add(words);
            self.go()
        }
    }

    /// Takes fuel.
    #[inline(always)]
    pub(crate) fn pay(&mut self, units: i32) {
        if METERED {
            self.fuel = self.fuel.wrapping_sub(units);
        }
    }

    /// Goes on in another handler, with the same op.
    ///
    /// # Safety
    /// As the handler says.
    #[inline(always)]
    pub(crate) unsafe fn to(self, handler: Handler) -> u32 {
        // SAFETY: the caller's promise.
        unsafe { handler(self.ip, self.fp, self.fuel, self.acc, self.mem, self.len, self.fa, self.fs) }
    }

    /// Returns the context of the frame.
    ///
    /// # Safety
    /// V5: `fp` has a header.
    #[inline(always)]
    pub(crate) unsafe fn context(&self) -> *const VmContext {
        // SAFETY: the caller's promise.
        unsafe { *self.fp.sub(1) as *const VmContext }
    }

    /// Reads memory 0 of the frame's instance again.
    ///
    /// # Safety
    /// V3, V5: `fp` has a header with a context.
    #[inline(always)]
    pub(crate) unsafe fn reload(&mut self) {
        // SAFETY: the caller's promise.
        unsafe {
            let memory = (*self.context()).memory0;
            self.mem = (*memory).base;
            self.len = (*memory).len_bytes as u64;
        }
    }

    /// Stores the registers and returns to who drives the machine.
    ///
    /// # Safety
    /// V3, V5: `fp` has a header with a context.
    #[inline(always)]
    pub(crate) unsafe fn leave(self, why: u32) -> u32 {
        // SAFETY: the caller's promise; V9.
        unsafe { (*(*self.context()).state).registers = self };
        why
    }
}

/// Hides a result from the compiler. A cold function whose result were known would not be called in tail position: the
/// handler would need a prologue on its hot path.
#[inline(always)]
pub(crate) fn opaque(why: u32) -> u32 {
    black_box(why)
}

/// Declares handlers: the signature, the registers packed as one value, and the frame of their unsafe body.
macro_rules! handlers {
    ($($(#[$meta:meta])* fn $name:ident $([$($generics:tt)*])? ($r:ident) $body:block)*) => {$(
        #[cfg(target_arch = "x86_64")]
        $(#[$meta])*
        #[allow(clippy::too_many_arguments, unused_mut, reason = "the signature of every handler")]
        pub(crate) unsafe extern "sysv64" fn $name $(<$($generics)*>)? (
            ip: *const u64, fp: *mut u64, fuel: i32, acc: u64, mem: *mut u8, len: u64, fa: f64, fs: f32,
        ) -> u32 {
            let mut $r = $crate::interp::regs::Registers { ip, fp, fuel, acc, mem, len, fa, fs };
            // SAFETY: V1-V10. Handlers are reached through ops only, with registers of which V5, V6 and V8 hold.
            unsafe { $body }
        }
        #[cfg(not(target_arch = "x86_64"))]
        $(#[$meta])*
        #[allow(clippy::too_many_arguments, unused_mut, reason = "the signature of every handler")]
        pub(crate) unsafe extern "C" fn $name $(<$($generics)*>)? (
            ip: *const u64, fp: *mut u64, fuel: i32, acc: u64, mem: *mut u8, len: u64, fa: f64, fs: f32,
        ) -> u32 {
            let mut $r = $crate::interp::regs::Registers { ip, fp, fuel, acc, mem, len, fa, fs };
            // SAFETY: V1-V10. Handlers are reached through ops only, with registers of which V5, V6 and V8 hold.
            unsafe { $body }
        }
    )*};
}
pub(crate) use handlers;

/// A value: how it lies in slots, in an accumulator, in an op.
pub(crate) trait Val: Copy {
    /// Words behind the first two of an op that an immediate of the type takes.
    const IMM_WORDS: usize = 0;

    /// # Safety
    /// The slots can be read.
    unsafe fn read(slot: *const u64) -> Self;

    /// # Safety
    /// The slots can be written.
    unsafe fn write(self, slot: *mut u64);

    /// Returns the accumulator of the type's class.
    fn get(r: &Registers) -> Self;

    /// Sets it.
    fn set(self, r: &mut Registers);

    /// Returns the immediate of the op.
    ///
    /// # Safety
    /// V6, V7: the op has one.
    unsafe fn imm(r: &Registers) -> Self;
}

macro_rules! int_vals {
    ($($int:ty, $unsigned:ty;)*) => {$(
        impl Val for $int {
            #[inline(always)]
            unsafe fn read(slot: *const u64) -> Self {
                // SAFETY: the caller's promise.
                unsafe { *slot.cast() }
            }

            #[inline(always)]
            unsafe fn write(self, slot: *mut u64) {
                // SAFETY: the caller's promise.
                unsafe { *slot = u64::from(self as $unsigned) }
            }

            #[inline(always)]
            fn get(r: &Registers) -> Self {
                r.acc as Self
            }

            #[inline(always)]
            fn set(self, r: &mut Registers) {
                r.acc = u64::from(self as $unsigned);
            }

            #[inline(always)]
            unsafe fn imm(r: &Registers) -> Self {
                // SAFETY: the caller's promise.
                unsafe { r.i32(12) as Self }
            }
        }
    )*};
}
int_vals! { i32, u32; u32, u32; i64, u64; u64, u64; }

impl Val for bool {
    #[inline(always)]
    unsafe fn read(slot: *const u64) -> Self {
        // SAFETY: the caller's promise.
        unsafe { *slot.cast::<u32>() != 0 }
    }

    #[inline(always)]
    unsafe fn write(self, slot: *mut u64) {
        // SAFETY: the caller's promise.
        unsafe { *slot = u64::from(self) }
    }

    #[inline(always)]
    fn get(r: &Registers) -> Self {
        r.acc as u32 != 0
    }

    #[inline(always)]
    fn set(self, r: &mut Registers) {
        r.acc = u64::from(self);
    }

    #[inline(always)]
    unsafe fn imm(r: &Registers) -> Self {
        // SAFETY: the caller's promise.
        unsafe { r.i32(12) != 0 }
    }
}

impl Val for f64 {
    const IMM_WORDS: usize = 1;

    #[inline(always)]
    unsafe fn read(slot: *const u64) -> Self {
        // SAFETY: the caller's promise.
        unsafe { *slot.cast() }
    }

    #[inline(always)]
    unsafe fn write(self, slot: *mut u64) {
        // SAFETY: the caller's promise.
        unsafe { *slot.cast() = self }
    }

    #[inline(always)]
    fn get(r: &Registers) -> Self {
        r.fa
    }

    #[inline(always)]
    fn set(self, r: &mut Registers) {
        r.fa = self;
    }

    #[inline(always)]
    unsafe fn imm(r: &Registers) -> Self {
        // SAFETY: the caller's promise.
        unsafe { *r.ip.add(2).cast() }
    }
}

impl Val for f32 {
    #[inline(always)]
    unsafe fn read(slot: *const u64) -> Self {
        // SAFETY: the caller's promise.
        unsafe { *slot.cast() }
    }

    #[inline(always)]
    unsafe fn write(self, slot: *mut u64) {
        // SAFETY: the caller's promise.
        unsafe { *slot = u64::from(self.to_bits()) }
    }

    #[inline(always)]
    fn get(r: &Registers) -> Self {
        r.fs
    }

    #[inline(always)]
    fn set(self, r: &mut Registers) {
        r.fs = self;
    }

    #[inline(always)]
    unsafe fn imm(r: &Registers) -> Self {
        // SAFETY: the caller's promise.
        unsafe { *r.ip.cast::<u8>().add(12).cast() }
    }
}

/// Two slots, the low half first; it has no accumulator and no immediate form.
impl Val for V128 {
    #[inline(always)]
    unsafe fn read(slot: *const u64) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(slot.cast::<[u8; 16]>().read_unaligned()) }
    }

    #[inline(always)]
    unsafe fn write(self, slot: *mut u64) {
        // SAFETY: the caller's promise.
        unsafe { slot.cast::<[u8; 16]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    fn get(_: &Registers) -> Self {
        Self([0; 16])
    }

    #[inline(always)]
    fn set(self, _: &mut Registers) {}

    #[inline(always)]
    unsafe fn imm(_: &Registers) -> Self {
        Self([0; 16])
    }
}

/// Where a handler takes an operand from.
pub(crate) trait Source {
    const IS_IMM: bool = false;

    /// # Safety
    /// V5, V6, V7: the op has such an operand.
    unsafe fn get<T: Val>(r: &Registers) -> T;
}

/// The accumulator.
pub(crate) struct Acc;
/// The slot that the operand at a byte of the op names.
pub(crate) struct Slot<const BYTE: usize>;
/// The immediate.
pub(crate) struct Imm;
/// The address 0: a constant base lies in the offset.
pub(crate) struct Zero;

impl Source for Acc {
    #[inline(always)]
    unsafe fn get<T: Val>(r: &Registers) -> T {
        T::get(r)
    }
}

impl<const BYTE: usize> Source for Slot<BYTE> {
    #[inline(always)]
    unsafe fn get<T: Val>(r: &Registers) -> T {
        // SAFETY: the caller's promise.
        unsafe { r.slot(BYTE) }
    }
}

impl Source for Imm {
    const IS_IMM: bool = true;

    #[inline(always)]
    unsafe fn get<T: Val>(r: &Registers) -> T {
        // SAFETY: the caller's promise.
        unsafe { T::imm(r) }
    }
}

impl Source for Zero {
    #[inline(always)]
    unsafe fn get<T: Val>(_: &Registers) -> T {
        // SAFETY: a zero can be read.
        unsafe { T::read(&raw const ZERO) }
    }
}

static ZERO: u64 = 0;
