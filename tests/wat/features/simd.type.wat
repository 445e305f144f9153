;;! without = ["simd"]
(module (func (param v128)))
;;= all: valid
;;= all but simd: unsupported
;;=   FeatureDisabled(Simd)
;;=   feature `simd` is switched off (at offset 0xd, while reading the type section)
