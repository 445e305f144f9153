;;! without = ["bulk-memory"]
(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))))
;;= all: valid
;;= all but bulk-memory: unsupported
;;=   FeatureDisabled(BulkMemory)
;;=   feature `bulk-memory` is switched off (at offset 0x22, function 0, while reading a function body)
