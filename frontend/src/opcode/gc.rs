//! Rows of structures, arrays, casts and i31: the prefix 0xfb, gc. The columns are told in `opcode.rs`.

macro_rules! gc_rows {
    ([$next:ident $($rest:ident)*] $($rows:tt)*) => {
        $next! { [$($rest)*] $($rows)*
            StructNew(TypeIdx)                 0xfb_0000 "struct.new"                             special                          Gc          1 Gc;
            StructNewDefault(TypeIdx)          0xfb_0001 "struct.new_default"                     special                          Gc          1 Gc;
            StructGet(StructField)             0xfb_0002 "struct.get"                             special                          Gc          1 Gc;
            StructGetS(StructField)            0xfb_0003 "struct.get_s"                           special                          Gc          1 Gc;
            StructGetU(StructField)            0xfb_0004 "struct.get_u"                           special                          Gc          1 Gc;
            StructSet(StructField)             0xfb_0005 "struct.set"                             special                          Gc          1 Gc;
            ArrayNew(TypeIdx)                  0xfb_0006 "array.new"                              special                          Gc          1 Gc;
            ArrayNewDefault(TypeIdx)           0xfb_0007 "array.new_default"                      special                          Gc          1 Gc;
            ArrayNewFixed(ArrayNewFixed)       0xfb_0008 "array.new_fixed"                        special                          Gc          1 Gc;
            ArrayNewData(ArrayData)            0xfb_0009 "array.new_data"                         special                          Gc          1 Gc;
            ArrayNewElem(ArrayElem)            0xfb_000a "array.new_elem"                         special                          Gc          1 Gc;
            ArrayGet(TypeIdx)                  0xfb_000b "array.get"                              special                          Gc          1 Gc;
            ArrayGetS(TypeIdx)                 0xfb_000c "array.get_s"                            special                          Gc          1 Gc;
            ArrayGetU(TypeIdx)                 0xfb_000d "array.get_u"                            special                          Gc          1 Gc;
            ArraySet(TypeIdx)                  0xfb_000e "array.set"                              special                          Gc          1 Gc;
            ArrayLen                           0xfb_000f "array.len"                              special                          Gc          1 Gc;
            ArrayFill(TypeIdx)                 0xfb_0010 "array.fill"                             special                          Gc          1 Gc;
            ArrayCopy(ArrayCopy)               0xfb_0011 "array.copy"                             special                          Gc          1 Gc;
            ArrayInitData(ArrayData)           0xfb_0012 "array.init_data"                        special                          Gc          1 Gc;
            ArrayInitElem(ArrayElem)           0xfb_0013 "array.init_elem"                        special                          Gc          1 Gc;
            RefTest(HeapType)                  0xfb_0014 "ref.test"                               special                          Gc          1 Gc;
            RefTestNull(HeapType)              0xfb_0015 "ref.test"                               special                          Gc          1 Gc;
            RefCast(HeapType)                  0xfb_0016 "ref.cast"                               special                          Gc          1 Gc;
            RefCastNull(HeapType)              0xfb_0017 "ref.cast"                               special                          Gc          1 Gc;
            BrOnCast(BrOnCast)                 0xfb_0018 "br_on_cast"                             special                          Control     1 Gc;
            BrOnCastFail(BrOnCast)             0xfb_0019 "br_on_cast_fail"                        special                          Control     1 Gc;
            AnyConvertExtern                   0xfb_001a "any.convert_extern"                     special                          Gc          1 Gc;
            ExternConvertAny                   0xfb_001b "extern.convert_any"                     special                          Gc          1 Gc;
            RefI31                             0xfb_001c "ref.i31"                                special                          Gc          1 Gc;
            I31GetS                            0xfb_001d "i31.get_s"                              special                          Gc          1 Gc;
            I31GetU                            0xfb_001e "i31.get_u"                              special                          Gc          1 Gc;
        }
    };
}
