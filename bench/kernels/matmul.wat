;; n x n double matrices at 0, n*n*8, 2*n*n*8
(module (memory 64)
 (func (export "run") (param $n i32) (result i64)
  (local $i i32) (local $j i32) (local $k i32) (local $a i32) (local $b i32) (local $s f64) (local $nn i32) (local $row i32)
  (local.set $nn (i32.mul (local.get $n) (local.get $n)))
  (local.set $i (i32.const 0))
  (loop $init
    (f64.store (i32.shl (local.get $i) (i32.const 3)) (f64.convert_i32_s (i32.rem_u (local.get $i) (i32.const 17))))
    (f64.store (i32.shl (i32.add (local.get $i) (local.get $nn)) (i32.const 3)) (f64.convert_i32_s (i32.rem_u (local.get $i) (i32.const 13))))
    (br_if $init (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $nn))))
  (local.set $row (i32.shl (local.get $n) (i32.const 3)))
  (local.set $i (i32.const 0))
  (loop $li
    (local.set $j (i32.const 0))
    (loop $lj
      (local.set $s (f64.const 0))
      (local.set $k (i32.const 0))
      (local.set $a (i32.mul (local.get $i) (local.get $row)))
      (local.set $b (i32.shl (i32.add (local.get $nn) (local.get $j)) (i32.const 3)))
      (loop $lk
        (local.set $s (f64.add (local.get $s) (f64.mul (f64.load (local.get $a)) (f64.load (local.get $b)))))
        (local.set $a (i32.add (local.get $a) (i32.const 8)))
        (local.set $b (i32.add (local.get $b) (local.get $row)))
        (br_if $lk (i32.ne (local.tee $k (i32.add (local.get $k) (i32.const 1))) (local.get $n))))
      (f64.store (i32.shl (i32.add (i32.shl (local.get $nn) (i32.const 1)) (i32.add (i32.mul (local.get $i) (local.get $n)) (local.get $j))) (i32.const 3)) (local.get $s))
      (br_if $lj (i32.ne (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $n))))
    (br_if $li (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
  (i64.reinterpret_f64 (f64.load (i32.shl (i32.add (i32.shl (local.get $nn) (i32.const 1)) (i32.const 3)) (i32.const 3))))))
