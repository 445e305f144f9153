;;! without = ["bulk-memory"]
(module binary "\00asm" "\01\00\00\00"
  "\0c\01\00")
;;= all: valid
;;= all but bulk-memory: unsupported
;;=   FeatureDisabled(BulkMemory)
;;=   feature `bulk-memory` is switched off (at offset 0xa, while reading the data count section)
