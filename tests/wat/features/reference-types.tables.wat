;;! without = ["reference-types"]
(module (table 1 funcref) (table 1 funcref))
;;= all: valid
;;= all but reference-types: unsupported
;;=   FeatureDisabled(ReferenceTypes)
;;=   feature `reference-types` is switched off (at offset 0xe, while reading the table section)
