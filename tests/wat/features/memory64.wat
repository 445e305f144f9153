;;! without = ["memory64"]
(module (memory i64 1))
;;= all: valid
;;= all but memory64: unsupported
;;=   FeatureDisabled(Memory64)
;;=   feature `memory64` is switched off (at offset 0xb, while reading the memory section)
