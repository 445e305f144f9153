;;! without = ["bulk-memory"]
(module (data "a"))
;;= all: valid
;;= all but bulk-memory: unsupported
;;=   FeatureDisabled(BulkMemory)
;;=   feature `bulk-memory` is switched off (at offset 0xb, while reading the data section)
