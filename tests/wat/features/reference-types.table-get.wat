;;! without = ["reference-types"]
(module (table 1 funcref) (func (drop (table.get 0 (i32.const 0)))))
;;= all: valid
;;= all but reference-types: unsupported
;;=   FeatureDisabled(ReferenceTypes)
;;=   feature `reference-types` is switched off (at offset 0x1f, function 0, while reading a function body)
