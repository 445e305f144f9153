;;! without = ["bulk-memory"]
(module (elem func 0) (func))
;;= all: valid
;;= all but bulk-memory: unsupported
;;=   FeatureDisabled(BulkMemory)
;;=   feature `bulk-memory` is switched off (at offset 0x15, while reading the element section)
