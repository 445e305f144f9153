;;! without = ["extended-const"]
(module (global i32 (i32.add (i32.const 1) (i32.const 2))))
;;= all: valid
;;= all but extended-const: unsupported
;;=   FeatureDisabled(ExtendedConst)
;;=   feature `extended-const` is switched off (at offset 0x11, while reading a constant expression)
