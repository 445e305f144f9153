//! Every way in which an instruction can trap, one row each.
//!
//! Source: core 3.0, "Execution". The messages are those that the official test suite begins with.

use core::fmt;

macro_rules! traps {
    ($($variant:ident $number:literal $message:literal;)*) => {
        /// Why an instruction trapped.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum TrapCode {
            $(#[doc = $message] $variant = $number,)*
        }

        impl TrapCode {
            /// Every trap, in the order of the numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the sentence.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)* }
            }

            /// Returns the trap of a number, as artifacts and registers carry it.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

// Numbers are stored in artifacts: a row keeps its number for ever. Zero is left free for "no trap".
traps! {
    Unreachable             1 "unreachable";
    MemoryOutOfBounds       2 "out of bounds memory access";
    TableOutOfBounds        3 "out of bounds table access";
    UndefinedElement        4 "undefined element";
    UninitializedElement    5 "uninitialized element";
    IndirectCallType        6 "indirect call type mismatch";
    IntegerDivideByZero     7 "integer divide by zero";
    IntegerOverflow         8 "integer overflow";
    InvalidConversion       9 "invalid conversion to integer";
    CallStackExhausted     10 "call stack exhausted";
    NullReference          11 "null reference";
    NullFunctionReference  12 "null function reference";
    UnalignedAtomic        13 "unaligned atomic";
    ExpectedSharedMemory   14 "expected shared memory";
    NullStructureReference 15 "null structure reference";
    NullArrayReference     16 "null array reference";
    NullI31Reference       17 "null i31 reference";
    NullExceptionReference 18 "null exception reference";
    ArrayOutOfBounds       19 "out of bounds array access";
    CastFailure            20 "cast failure";
    UncaughtException      21 "unhandled exception";
    AllocationFailure      22 "allocation failure";
}

impl fmt::Display for TrapCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_for_one_trap_and_zero_for_none() {
        for trap in TrapCode::ALL {
            assert_eq!(TrapCode::from_number(*trap as u8), Some(*trap));
        }
        assert_eq!(TrapCode::from_number(0), None);
    }
}
