(module
  (memory $d i64 1)
  (memory $s i64 1)
  (func (memory.copy $d $s (i64.const 0) (i64.const 0) (i64.const 0))))
;;= all: valid
