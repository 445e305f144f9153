;;! without = ["wide-arithmetic"]
(module (func (param i64) (drop (drop (i64.mul_wide_u (local.get 0) (local.get 0))))))
;;= all: valid
;;= all but wide-arithmetic: unsupported
;;=   FeatureDisabled(WideArithmetic)
;;=   feature `wide-arithmetic` is switched off (at offset 0x1c, function 0, while reading a function body)
