;;! without = ["gc"]
(module (func (param (ref null eq))))
;;= all: valid
;;= all but gc: unsupported
;;=   FeatureDisabled(Gc)
;;=   feature `gc` is switched off (at offset 0xd, while reading the type section)
