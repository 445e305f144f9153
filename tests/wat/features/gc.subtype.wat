;;! without = ["gc"]
(module (type (sub (func))))
;;= all: valid
;;= all but gc: unsupported
;;=   FeatureDisabled(Gc)
;;=   feature `gc` is switched off (at offset 0xb, while reading the type section)
