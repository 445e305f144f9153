;;! without = ["gc"]
;; Without groups a type refers only to those before it.
(module (type $f (func (param (ref null $f)))))
;;= all: valid
;;= all but gc: unsupported
;;=   FeatureDisabled(Gc)
;;=   feature `gc` is switched off (at offset 0xb, while reading the type section)
