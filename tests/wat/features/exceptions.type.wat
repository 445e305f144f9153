;;! without = ["exceptions"]
(module (func (param exnref)))
;;= all: valid
;;= all but exceptions: unsupported
;;=   FeatureDisabled(Exceptions)
;;=   feature `exceptions` is switched off (at offset 0xd, while reading the type section)
