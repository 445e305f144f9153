(module
  (import "host" "ask" (func $ask (param i32) (result i32)))
  (memory (export "memory") 1 8)
  (table funcref (elem $less $more))
  (type $order (func (param i32 i32) (result i32)))
  (data $tail "\f0\0f\55\aa")

  (func $less (type $order) (i32.lt_u (local.get 0) (local.get 1)))
  (func $more (type $order) (i32.gt_u (local.get 0) (local.get 1)))

  ;; Pseudo-random words to memory, one in eight of them through the host.
  (func $scatter (param $seed i32) (param $end i32) (local $at i32)
    (loop $next
      (local.set $seed
        (i32.add (i32.mul (local.get $seed) (i32.const 1103515245)) (i32.const 12345)))
      (if (i32.eqz (i32.and (local.get $at) (i32.const 28)))
        (then (local.set $seed (call $ask (local.get $seed)))))
      (i32.store (local.get $at) (local.get $seed))
      (br_if $next
        (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (local.get $end)))))

  ;; Insertion sort by an order of the table.
  (func $sort (param $end i32) (param $order i32) (local $at i32) (local $back i32) (local $word i32)
    (loop $next
      (local.set $back (local.get $at))
      (local.set $word (i32.load (local.get $at)))
      (block $found
        (loop $shift
          (br_if $found (i32.eqz (local.get $back)))
          (br_if $found
            (i32.eqz
              (call_indirect (type $order)
                (local.get $word)
                (i32.load (i32.sub (local.get $back) (i32.const 4)))
                (local.get $order))))
          (i32.store (local.get $back) (i32.load (i32.sub (local.get $back) (i32.const 4))))
          (local.set $back (i32.sub (local.get $back) (i32.const 4)))
          (br $shift)))
      (i32.store (local.get $back) (local.get $word))
      (br_if $next
        (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (local.get $end)))))

  (func $fib (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else
        (i32.add
          (call $fib (i32.sub (local.get 0) (i32.const 1)))
          (call $fib (i32.sub (local.get 0) (i32.const 2)))))))

  (func (export "run") (param $seed i32) (result i32 i32)
    (call $scatter (local.get $seed) (i32.const 800))
    (call $sort (i32.const 800) (i32.const 0))
    (call $sort (i32.const 400) (i32.const 1))
    ;; Longer than a piece of a bulk operation.
    (drop (memory.grow (i32.const 3)))
    (memory.copy (i32.const 100) (i32.const 0) (i32.const 200000))
    (memory.fill (i32.const 150000) (i32.const 0x77) (i32.const 100000))
    (memory.init $tail (i32.const 262140) (i32.const 0) (i32.const 4))
    (i32.load (i32.const 200))
    (call $ask (call $fib (i32.const 11)))))
