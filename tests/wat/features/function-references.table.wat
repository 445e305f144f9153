;;! without = ["function-references"]
;; A table with an initialiser.
(module (table 1 funcref (ref.null func)))
;;= all: valid
;;= all but function-references: unsupported
;;=   FeatureDisabled(FunctionReferences)
;;=   feature `function-references` is switched off (at offset 0xb, while reading the table section)
