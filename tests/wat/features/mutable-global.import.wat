;;! without = ["mutable-global"]
(module (import "m" "g" (global (mut i32))))
;;= all: valid
;;= all but mutable-global: unsupported
;;=   FeatureDisabled(MutableGlobal)
;;=   feature `mutable-global` is switched off (at offset 0x10, while reading the import section)
