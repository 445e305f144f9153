;;! without = ["threads"]
(module (memory 1 1 shared))
;;= all: valid
;;= all but threads: unsupported
;;=   FeatureDisabled(Threads)
;;=   feature `threads` is switched off (at offset 0xb, while reading the memory section)
