;;! without = ["gc"]
(module (func (drop (ref.null any))))
;;= all: valid
;;= all but gc: unsupported
;;=   FeatureDisabled(Gc)
;;=   feature `gc` is switched off (at offset 0x18, function 0, while reading a function body)
