;;! without = ["relaxed-simd"]
(module (func (param v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 0))))
;;= all: valid
;;= all but relaxed-simd: unsupported
;;=   FeatureDisabled(RelaxedSimd)
;;=   feature `relaxed-simd` is switched off (at offset 0x1d, function 0, while reading a function body)
