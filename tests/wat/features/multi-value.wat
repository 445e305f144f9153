;;! without = ["multi-value"]
(module (func (result i32 i32) (i32.const 0) (i32.const 1)))
;;= all: valid
;;= all but multi-value: unsupported
;;=   FeatureDisabled(MultiValue)
;;=   feature `multi-value` is switched off (at offset 0xd, while reading the type section)
