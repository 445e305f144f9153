;;! without = ["memory64"]
(module (table i64 1 funcref))
;;= all: valid
;;= all but memory64: unsupported
;;=   FeatureDisabled(Memory64)
;;=   feature `memory64` is switched off (at offset 0xc, while reading the table section)
