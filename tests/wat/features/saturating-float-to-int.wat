;;! without = ["saturating-float-to-int"]
(module (func (param f32) (result i32) (i32.trunc_sat_f32_s (local.get 0))))
;;= all: valid
;;= all but saturating-float-to-int: unsupported
;;=   FeatureDisabled(SaturatingFloatToInt)
;;=   feature `saturating-float-to-int` is switched off (at offset 0x1b, function 0, while reading a function body)
