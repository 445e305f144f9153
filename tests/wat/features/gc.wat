;;! without = ["gc"]
(module (type (struct)))
;;= all: valid
;;= all but gc: unsupported
;;=   FeatureDisabled(Gc)
;;=   feature `gc` is switched off (at offset 0xb, while reading the type section)
