;;! without = ["tail-call"]
(module (func $f (return_call $f)))
;;= all: valid
;;= all but tail-call: unsupported
;;=   FeatureDisabled(TailCall)
;;=   feature `tail-call` is switched off (at offset 0x17, function 0 <f>, while reading a function body)
