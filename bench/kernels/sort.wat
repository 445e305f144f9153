;; quicksort, recursive, of n pseudo-random i32
(module (memory 64)
 (func $qs (param $lo i32) (param $hi i32)
  (local $i i32) (local $j i32) (local $p i32) (local $t i32)
  (loop $again
   (block $done
    (br_if $done (i32.ge_s (local.get $lo) (local.get $hi)))
    (local.set $p (i32.load (i32.and (i32.shr_u (i32.add (local.get $lo) (local.get $hi)) (i32.const 1)) (i32.const -4))))
    (local.set $i (local.get $lo)) (local.set $j (local.get $hi))
    (block $out
     (loop $part
      (block $a (loop $la
        (br_if $a (i32.ge_s (i32.load (local.get $i)) (local.get $p)))
        (local.set $i (i32.add (local.get $i) (i32.const 4))) (br $la)))
      (block $b (loop $lb
        (br_if $b (i32.le_s (i32.load (local.get $j)) (local.get $p)))
        (local.set $j (i32.sub (local.get $j) (i32.const 4))) (br $lb)))
      (br_if $out (i32.gt_s (local.get $i) (local.get $j)))
      (local.set $t (i32.load (local.get $i)))
      (i32.store (local.get $i) (i32.load (local.get $j)))
      (i32.store (local.get $j) (local.get $t))
      (local.set $i (i32.add (local.get $i) (i32.const 4)))
      (local.set $j (i32.sub (local.get $j) (i32.const 4)))
      (br_if $part (i32.le_s (local.get $i) (local.get $j)))))
    (call $qs (local.get $lo) (local.get $j))
    (local.set $lo (local.get $i))
    (br $again))))
 (func (export "run") (param $n i32) (result i64)
  (local $i i32) (local $x i32) (local $s i64)
  (local.set $x (i32.const 12345))
  (loop $l
    (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 1103515245)) (i32.const 12345)))
    (i32.store (i32.shl (local.get $i) (i32.const 2)) (i32.shr_u (local.get $x) (i32.const 3)))
    (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
  (call $qs (i32.const 0) (i32.shl (i32.sub (local.get $n) (i32.const 1)) (i32.const 2)))
  (local.set $i (i32.const 0))
  (loop $m
    (local.set $s (i64.add (i64.mul (local.get $s) (i64.const 31)) (i64.load32_u (i32.shl (local.get $i) (i32.const 2)))))
    (br_if $m (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
  (local.get $s)))
