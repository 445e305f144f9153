;;! L007 warning
(module (func (export "f") (local $i i32) (local $j i32) (local $k i64)
  (loop $outer
    (local.set $j (i32.const 0))
    (loop $inner
      (br_if $inner (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 1000000))))
    (br_if $outer (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000000))))))
