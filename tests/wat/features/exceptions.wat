;;! without = ["exceptions"]
(module (func (block $h (try_table (catch_all $h)))))
;;= all: valid
;;= all but exceptions: unsupported
;;=   FeatureDisabled(Exceptions)
;;=   feature `exceptions` is switched off (at offset 0x19, function 0, while reading a function body)
