;;! without = ["custom-page-sizes"]
(module (memory 1 (pagesize 1)))
;;= all: valid
;;= all but custom-page-sizes: unsupported
;;=   FeatureDisabled(CustomPageSizes)
;;=   feature `custom-page-sizes` is switched off (at offset 0xb, while reading the memory section)
