;;! without = ["legacy-exceptions"]
(module (func try catch_all rethrow 0 end))
;;= all: valid
;;= all but legacy-exceptions: unsupported
;;=   FeatureDisabled(LegacyExceptions)
;;=   feature `legacy-exceptions` is switched off (at offset 0x17, function 0, while reading a function body)
