;;! without = ["threads"]
(module (func (atomic.fence)))
;;= all: valid
;;= all but threads: unsupported
;;=   FeatureDisabled(Threads)
;;=   feature `threads` is switched off (at offset 0x17, function 0, while reading a function body)
