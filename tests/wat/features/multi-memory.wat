;;! without = ["multi-memory"]
(module (memory 1) (memory 1))
;;= all: valid
;;= all but multi-memory: unsupported
;;=   FeatureDisabled(MultiMemory)
;;=   feature `multi-memory` is switched off (at offset 0xd, while reading the memory section)
