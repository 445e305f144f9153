;;! without = ["function-references"]
;; `ref.as_non_null`, in code that cannot be reached.
(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00"
  "\0a\07\01" "\05\00" "\00\d4\1a" "\0b")
;;= all: valid
;;= all but function-references: unsupported
;;=   FeatureDisabled(FunctionReferences)
;;=   feature `function-references` is switched off (at offset 0x18, function 0, while reading a function body)
