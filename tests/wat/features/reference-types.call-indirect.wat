;;! without = ["reference-types"]
;; The table's index in two bytes; it was one zero byte before.
(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00" "\04\04\01\70\00\00"
  "\0a\0a\01" "\08\00" "\41\00\11\00\80\00" "\0b")
;;= all: valid
;;= all but reference-types: unsupported
;;=   FeatureDisabled(ReferenceTypes)
;;=   feature `reference-types` is switched off (at offset 0x21, function 0, while reading a function body)
