(module
  (table $d i64 1 funcref)
  (table $s 1 funcref)
  (func (table.copy $d $s (i64.const 0) (i32.const 0) (i32.const 0))))
;;= all: valid
