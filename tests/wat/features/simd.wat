;;! without = ["simd"]
(module (func (drop (v128.const i64x2 0 0))))
;;= all: valid
;;= all but simd: unsupported
;;=   FeatureDisabled(Simd)
;;=   feature `simd` is switched off (at offset 0x17, function 0, while reading a function body)
