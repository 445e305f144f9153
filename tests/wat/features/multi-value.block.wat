;;! without = ["multi-value"]
;; A block that takes a parameter.
(module (func (param i32) (result i32) (local.get 0) (block (param i32) (result i32))))
;;= all: valid
;;= all but multi-value: unsupported
;;=   FeatureDisabled(MultiValue)
;;=   feature `multi-value` is switched off (at offset 0x1c, function 0, while reading a function body)
