;;! without = ["reference-types"]
(module (func (param externref)))
;;= all: valid
;;= all but reference-types: unsupported
;;=   FeatureDisabled(ReferenceTypes)
;;=   feature `reference-types` is switched off (at offset 0xd, while reading the type section)
