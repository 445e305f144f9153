;;! without = ["exceptions"]
(module (func (drop (ref.null noexn))))
;;= all: valid
;;= all but exceptions: unsupported
;;=   FeatureDisabled(Exceptions)
;;=   feature `exceptions` is switched off (at offset 0x18, function 0, while reading a function body)
