;;! without = ["mutable-global"]
(module (global (mut i32) (i32.const 0)) (export "g" (global 0)))
;;= all: valid
;;= all but mutable-global: unsupported
;;=   FeatureDisabled(MutableGlobal)
;;=   feature `mutable-global` is switched off (at offset 0x16, while reading the export section)
