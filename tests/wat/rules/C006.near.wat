;;! no C006
(module (memory 1 1) (global $g (mut i32) (i32.const 0))
  (func (export "f") (local $state i32)
    (loop $next (block $b7 (block $b6 (block $b5 (block $b4 (block $b3 (block $b2 (block $b1 (block $b0 
      (br_table $b0 $b1 $b2 $b3 $b4 $b5 $b6 $b7 (local.get $state)))
      (global.set $g (i32.add (global.get $g) (i32.const 0))) (local.set $state (i32.load (i32.const 0))) (br $next))
      (global.set $g (i32.add (global.get $g) (i32.const 1))) (local.set $state (i32.load (i32.const 4))) (br $next))
      (global.set $g (i32.add (global.get $g) (i32.const 2))) (local.set $state (i32.load (i32.const 8))) (br $next))
      (global.set $g (i32.add (global.get $g) (i32.const 3))) (local.set $state (i32.load (i32.const 12))) (br $next))
      (global.set $g (i32.add (global.get $g) (i32.const 4))) (local.set $state (i32.load (i32.const 16))) (br $next))
      (global.set $g (i32.add (global.get $g) (i32.const 5))) (local.set $state (i32.load (i32.const 20))) (br $next))
      (global.set $g (i32.add (global.get $g) (i32.const 6))) (local.set $state (i32.load (i32.const 24))) (br $next))
      (global.set $g (i32.add (global.get $g) (i32.const 7))) (local.set $state (i32.load (i32.const 28))) (br_if $next (global.get $g)))))
