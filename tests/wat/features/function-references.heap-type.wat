;;! without = ["function-references"]
(module (type $f (func)) (func (drop (ref.null $f))))
;;= all: valid
;;= all but function-references: unsupported
;;=   FeatureDisabled(FunctionReferences)
;;=   feature `function-references` is switched off (at offset 0x18, function 0, while reading a function body)
;;=   wasmparser differs: FeatureBorder
