;;! C005 info
(module (memory 1 1) (func (export "run") (param $pc i32) (local $op i32)
  (loop $next
    (block $c (block $b (block $a
      (br_table 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 2 (i32.load8_u (local.get $pc))))
      (local.set $pc (i32.add (local.get $pc) (i32.const 1))) (br $next))
      (local.set $pc (i32.add (local.get $pc) (i32.const 2))) (br $next))
    (br_if $next (i32.load (local.get $pc))))))
