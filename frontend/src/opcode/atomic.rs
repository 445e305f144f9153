//! Rows of the atomic memory instructions: the prefix 0xfe, threads. The columns are told in `opcode.rs`.

macro_rules! atomic_rows {
    ([$next:ident $($rest:ident)*] $($rows:tt)*) => {
        $next! { [$($rest)*] $($rows)*
            MemoryAtomicNotify(MemArg)         0xfe_0000 "memory.atomic.notify"                   [addr i32 -> i32]                Notify(4)   1 Threads;
            MemoryAtomicWait32(MemArg)         0xfe_0001 "memory.atomic.wait32"                   [addr i32 i64 -> i32]            Wait(4)     1 Threads;
            MemoryAtomicWait64(MemArg)         0xfe_0002 "memory.atomic.wait64"                   [addr i64 i64 -> i32]            Wait(8)     1 Threads;
            AtomicFence(AtomicFence)           0xfe_0003 "atomic.fence"                           [->]                             Fence       1 Threads;
            I32AtomicLoad(MemArg)              0xfe_0010 "i32.atomic.load"                        [addr -> i32]                    Load(4)     1 Threads;
            I64AtomicLoad(MemArg)              0xfe_0011 "i64.atomic.load"                        [addr -> i64]                    Load(8)     1 Threads;
            I32AtomicLoad8U(MemArg)            0xfe_0012 "i32.atomic.load8_u"                     [addr -> i32]                    Load(1)     1 Threads;
            I32AtomicLoad16U(MemArg)           0xfe_0013 "i32.atomic.load16_u"                    [addr -> i32]                    Load(2)     1 Threads;
            I64AtomicLoad8U(MemArg)            0xfe_0014 "i64.atomic.load8_u"                     [addr -> i64]                    Load(1)     1 Threads;
            I64AtomicLoad16U(MemArg)           0xfe_0015 "i64.atomic.load16_u"                    [addr -> i64]                    Load(2)     1 Threads;
            I64AtomicLoad32U(MemArg)           0xfe_0016 "i64.atomic.load32_u"                    [addr -> i64]                    Load(4)     1 Threads;
            I32AtomicStore(MemArg)             0xfe_0017 "i32.atomic.store"                       [addr i32 ->]                    Store(4)    1 Threads;
            I64AtomicStore(MemArg)             0xfe_0018 "i64.atomic.store"                       [addr i64 ->]                    Store(8)    1 Threads;
            I32AtomicStore8(MemArg)            0xfe_0019 "i32.atomic.store8"                      [addr i32 ->]                    Store(1)    1 Threads;
            I32AtomicStore16(MemArg)           0xfe_001a "i32.atomic.store16"                     [addr i32 ->]                    Store(2)    1 Threads;
            I64AtomicStore8(MemArg)            0xfe_001b "i64.atomic.store8"                      [addr i64 ->]                    Store(1)    1 Threads;
            I64AtomicStore16(MemArg)           0xfe_001c "i64.atomic.store16"                     [addr i64 ->]                    Store(2)    1 Threads;
            I64AtomicStore32(MemArg)           0xfe_001d "i64.atomic.store32"                     [addr i64 ->]                    Store(4)    1 Threads;
            I32AtomicRmwAdd(MemArg)            0xfe_001e "i32.atomic.rmw.add"                     [addr i32 -> i32]                Rmw(4)      1 Threads;
            I64AtomicRmwAdd(MemArg)            0xfe_001f "i64.atomic.rmw.add"                     [addr i64 -> i64]                Rmw(8)      1 Threads;
            I32AtomicRmw8AddU(MemArg)          0xfe_0020 "i32.atomic.rmw8.add_u"                  [addr i32 -> i32]                Rmw(1)      1 Threads;
            I32AtomicRmw16AddU(MemArg)         0xfe_0021 "i32.atomic.rmw16.add_u"                 [addr i32 -> i32]                Rmw(2)      1 Threads;
            I64AtomicRmw8AddU(MemArg)          0xfe_0022 "i64.atomic.rmw8.add_u"                  [addr i64 -> i64]                Rmw(1)      1 Threads;
            I64AtomicRmw16AddU(MemArg)         0xfe_0023 "i64.atomic.rmw16.add_u"                 [addr i64 -> i64]                Rmw(2)      1 Threads;
            I64AtomicRmw32AddU(MemArg)         0xfe_0024 "i64.atomic.rmw32.add_u"                 [addr i64 -> i64]                Rmw(4)      1 Threads;
            I32AtomicRmwSub(MemArg)            0xfe_0025 "i32.atomic.rmw.sub"                     [addr i32 -> i32]                Rmw(4)      1 Threads;
            I64AtomicRmwSub(MemArg)            0xfe_0026 "i64.atomic.rmw.sub"                     [addr i64 -> i64]                Rmw(8)      1 Threads;
            I32AtomicRmw8SubU(MemArg)          0xfe_0027 "i32.atomic.rmw8.sub_u"                  [addr i32 -> i32]                Rmw(1)      1 Threads;
            I32AtomicRmw16SubU(MemArg)         0xfe_0028 "i32.atomic.rmw16.sub_u"                 [addr i32 -> i32]                Rmw(2)      1 Threads;
            I64AtomicRmw8SubU(MemArg)          0xfe_0029 "i64.atomic.rmw8.sub_u"                  [addr i64 -> i64]                Rmw(1)      1 Threads;
            I64AtomicRmw16SubU(MemArg)         0xfe_002a "i64.atomic.rmw16.sub_u"                 [addr i64 -> i64]                Rmw(2)      1 Threads;
            I64AtomicRmw32SubU(MemArg)         0xfe_002b "i64.atomic.rmw32.sub_u"                 [addr i64 -> i64]                Rmw(4)      1 Threads;
            I32AtomicRmwAnd(MemArg)            0xfe_002c "i32.atomic.rmw.and"                     [addr i32 -> i32]                Rmw(4)      1 Threads;
            I64AtomicRmwAnd(MemArg)            0xfe_002d "i64.atomic.rmw.and"                     [addr i64 -> i64]                Rmw(8)      1 Threads;
            I32AtomicRmw8AndU(MemArg)          0xfe_002e "i32.atomic.rmw8.and_u"                  [addr i32 -> i32]                Rmw(1)      1 Threads;
            I32AtomicRmw16AndU(MemArg)         0xfe_002f "i32.atomic.rmw16.and_u"                 [addr i32 -> i32]                Rmw(2)      1 Threads;
            I64AtomicRmw8AndU(MemArg)          0xfe_0030 "i64.atomic.rmw8.and_u"                  [addr i64 -> i64]                Rmw(1)      1 Threads;
            I64AtomicRmw16AndU(MemArg)         0xfe_0031 "i64.atomic.rmw16.and_u"                 [addr i64 -> i64]                Rmw(2)      1 Threads;
            I64AtomicRmw32AndU(MemArg)         0xfe_0032 "i64.atomic.rmw32.and_u"                 [addr i64 -> i64]                Rmw(4)      1 Threads;
            I32AtomicRmwOr(MemArg)             0xfe_0033 "i32.atomic.rmw.or"                      [addr i32 -> i32]                Rmw(4)      1 Threads;
            I64AtomicRmwOr(MemArg)             0xfe_0034 "i64.atomic.rmw.or"                      [addr i64 -> i64]                Rmw(8)      1 Threads;
            I32AtomicRmw8OrU(MemArg)           0xfe_0035 "i32.atomic.rmw8.or_u"                   [addr i32 -> i32]                Rmw(1)      1 Threads;
            I32AtomicRmw16OrU(MemArg)          0xfe_0036 "i32.atomic.rmw16.or_u"                  [addr i32 -> i32]                Rmw(2)      1 Threads;
            I64AtomicRmw8OrU(MemArg)           0xfe_0037 "i64.atomic.rmw8.or_u"                   [addr i64 -> i64]                Rmw(1)      1 Threads;
            I64AtomicRmw16OrU(MemArg)          0xfe_0038 "i64.atomic.rmw16.or_u"                  [addr i64 -> i64]                Rmw(2)      1 Threads;
            I64AtomicRmw32OrU(MemArg)          0xfe_0039 "i64.atomic.rmw32.or_u"                  [addr i64 -> i64]                Rmw(4)      1 Threads;
            I32AtomicRmwXor(MemArg)            0xfe_003a "i32.atomic.rmw.xor"                     [addr i32 -> i32]                Rmw(4)      1 Threads;
            I64AtomicRmwXor(MemArg)            0xfe_003b "i64.atomic.rmw.xor"                     [addr i64 -> i64]                Rmw(8)      1 Threads;
            I32AtomicRmw8XorU(MemArg)          0xfe_003c "i32.atomic.rmw8.xor_u"                  [addr i32 -> i32]                Rmw(1)      1 Threads;
            I32AtomicRmw16XorU(MemArg)         0xfe_003d "i32.atomic.rmw16.xor_u"                 [addr i32 -> i32]                Rmw(2)      1 Threads;
            I64AtomicRmw8XorU(MemArg)          0xfe_003e "i64.atomic.rmw8.xor_u"                  [addr i64 -> i64]                Rmw(1)      1 Threads;
            I64AtomicRmw16XorU(MemArg)         0xfe_003f "i64.atomic.rmw16.xor_u"                 [addr i64 -> i64]                Rmw(2)      1 Threads;
            I64AtomicRmw32XorU(MemArg)         0xfe_0040 "i64.atomic.rmw32.xor_u"                 [addr i64 -> i64]                Rmw(4)      1 Threads;
            I32AtomicRmwXchg(MemArg)           0xfe_0041 "i32.atomic.rmw.xchg"                    [addr i32 -> i32]                Rmw(4)      1 Threads;
            I64AtomicRmwXchg(MemArg)           0xfe_0042 "i64.atomic.rmw.xchg"                    [addr i64 -> i64]                Rmw(8)      1 Threads;
            I32AtomicRmw8XchgU(MemArg)         0xfe_0043 "i32.atomic.rmw8.xchg_u"                 [addr i32 -> i32]                Rmw(1)      1 Threads;
            I32AtomicRmw16XchgU(MemArg)        0xfe_0044 "i32.atomic.rmw16.xchg_u"                [addr i32 -> i32]                Rmw(2)      1 Threads;
            I64AtomicRmw8XchgU(MemArg)         0xfe_0045 "i64.atomic.rmw8.xchg_u"                 [addr i64 -> i64]                Rmw(1)      1 Threads;
            I64AtomicRmw16XchgU(MemArg)        0xfe_0046 "i64.atomic.rmw16.xchg_u"                [addr i64 -> i64]                Rmw(2)      1 Threads;
            I64AtomicRmw32XchgU(MemArg)        0xfe_0047 "i64.atomic.rmw32.xchg_u"                [addr i64 -> i64]                Rmw(4)      1 Threads;
            I32AtomicRmwCmpxchg(MemArg)        0xfe_0048 "i32.atomic.rmw.cmpxchg"                 [addr i32 i32 -> i32]            Rmw(4)      1 Threads;
            I64AtomicRmwCmpxchg(MemArg)        0xfe_0049 "i64.atomic.rmw.cmpxchg"                 [addr i64 i64 -> i64]            Rmw(8)      1 Threads;
            I32AtomicRmw8CmpxchgU(MemArg)      0xfe_004a "i32.atomic.rmw8.cmpxchg_u"              [addr i32 i32 -> i32]            Rmw(1)      1 Threads;
            I32AtomicRmw16CmpxchgU(MemArg)     0xfe_004b "i32.atomic.rmw16.cmpxchg_u"             [addr i32 i32 -> i32]            Rmw(2)      1 Threads;
            I64AtomicRmw8CmpxchgU(MemArg)      0xfe_004c "i64.atomic.rmw8.cmpxchg_u"              [addr i64 i64 -> i64]            Rmw(1)      1 Threads;
            I64AtomicRmw16CmpxchgU(MemArg)     0xfe_004d "i64.atomic.rmw16.cmpxchg_u"             [addr i64 i64 -> i64]            Rmw(2)      1 Threads;
            I64AtomicRmw32CmpxchgU(MemArg)     0xfe_004e "i64.atomic.rmw32.cmpxchg_u"             [addr i64 i64 -> i64]            Rmw(4)      1 Threads;
        }
    };
}
