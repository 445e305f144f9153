;; Functions of integers, for --invoke: a sum, a loop, a recursion, and one that can trap.
(module
  (func $add (export "add") (param $a i32) (param $b i32) (result i32)
    (i32.add (local.get $a) (local.get $b)))

  ;; Traps on a divisor of 0, and on the smallest number divided by -1.
  (func $divide (export "divide") (param $a i32) (param $b i32) (result i32)
    (i32.div_s (local.get $a) (local.get $b)))

  ;; Euclid's algorithm.
  (func $gcd (export "gcd") (param $a i64) (param $b i64) (result i64)
    (local $rest i64)
    (loop $next
      (if (i64.ne (local.get $b) (i64.const 0))
        (then
          (local.set $rest (i64.rem_u (local.get $a) (local.get $b)))
          (local.set $a (local.get $b))
          (local.set $b (local.get $rest))
          (br $next))))
    (local.get $a))

  ;; Takes time and depth that grow with $n, so that limits have something to bite on.
  (func $fibonacci (export "fibonacci") (param $n i32) (result i64)
    (if (result i64) (i32.lt_u (local.get $n) (i32.const 2))
      (then (i64.extend_i32_u (local.get $n)))
      (else
        (i64.add
          (call $fibonacci (i32.sub (local.get $n) (i32.const 1)))
          (call $fibonacci (i32.sub (local.get $n) (i32.const 2))))))))
