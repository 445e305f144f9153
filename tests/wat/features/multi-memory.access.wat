;;! without = ["multi-memory"]
(module (memory 1) (memory 1) (func (drop (i32.load 1 (i32.const 0)))))
;;= all: valid
;;= all but multi-memory: unsupported
;;=   FeatureDisabled(MultiMemory)
;;=   feature `multi-memory` is switched off (at offset 0x17, while reading the memory section)
