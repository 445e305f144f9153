;;! without = ["function-references"]
(module (type $f (func)) (func (param (ref $f)) (call_ref $f (local.get 0))))
;;= all: valid
;;= all but function-references: unsupported
;;=   FeatureDisabled(FunctionReferences)
;;=   feature `function-references` is switched off (at offset 0x10, while reading the type section)
