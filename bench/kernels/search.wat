;; naive string search of "abcabd" through 64 KiB
(module (memory 2) (data (i32.const 70000) "abcabd\00")
 (func $match (param $p i32) (param $q i32) (result i32) (local $c i32)
  (loop $l
   (if (i32.eqz (local.tee $c (i32.load8_u (local.get $q)))) (then (return (i32.const 1))))
   (if (i32.ne (i32.load8_u (local.get $p)) (local.get $c)) (then (return (i32.const 0))))
   (local.set $p (i32.add (local.get $p) (i32.const 1)))
   (local.set $q (i32.add (local.get $q) (i32.const 1)))
   (br $l)) (unreachable))
 (func (export "run") (param $n i32) (result i64) (local $i i32) (local $x i32) (local $r i32)
  (local.set $x (i32.const 9))
  (loop $g
   (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 1664525)) (i32.const 1013904223)))
   (i32.store8 (local.get $i) (i32.add (i32.const 97) (i32.rem_u (i32.shr_u (local.get $x) (i32.const 16)) (i32.const 4))))
   (br_if $g (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 65536))))
  (loop $o
   (local.set $i (i32.const 0))
   (loop $l
    (local.set $r (i32.add (local.get $r) (call $match (local.get $i) (i32.const 70000))))
    (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 65536))))
   (br_if $o (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
  (i64.extend_i32_u (local.get $r))))
