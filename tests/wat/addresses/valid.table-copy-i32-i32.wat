(module
  (table $d 1 funcref)
  (table $s 1 funcref)
  (func (table.copy $d $s (i32.const 0) (i32.const 0) (i32.const 0))))
;;= all: valid
