;;! without = ["gc"]
(module (func (param i32) (drop (ref.i31 (local.get 0)))))
;;= all: valid
;;= all but gc: unsupported
;;=   FeatureDisabled(Gc)
;;=   feature `gc` is switched off (at offset 0x1a, function 0, while reading a function body)
