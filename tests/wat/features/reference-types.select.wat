;;! without = ["reference-types"]
(module (func (drop (select (result i32) (i32.const 0) (i32.const 0) (i32.const 0)))))
;;= all: valid
;;= all but reference-types: unsupported
;;=   FeatureDisabled(ReferenceTypes)
;;=   feature `reference-types` is switched off (at offset 0x1d, function 0, while reading a function body)
