;; FNV-1a 64 over bytes, then murmur-style mixing of words
(module (memory 2)
 (func (export "run") (param $n i32) (result i64) (local $i i32) (local $h i64) (local $k i64)
  (local.set $h (i64.const 0xcbf29ce484222325))
  (loop $g
    (i32.store8 (local.get $i) (i32.mul (local.get $i) (i32.const 167)))
    (br_if $g (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 65536))))
  (loop $o
   (local.set $i (i32.const 0))
   (loop $l
    (local.set $h (i64.mul (i64.xor (local.get $h) (i64.load8_u (local.get $i))) (i64.const 0x100000001b3)))
    (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 65536))))
   (local.set $i (i32.const 0))
   (loop $m
    (local.set $k (i64.mul (i64.load (local.get $i)) (i64.const 0x87c37b91114253d5)))
    (local.set $k (i64.mul (i64.rotl (local.get $k) (i64.const 31)) (i64.const 0x4cf5ad432745937f)))
    (local.set $h (i64.xor (local.get $h) (local.get $k)))
    (local.set $h (i64.add (i64.mul (i64.rotl (local.get $h) (i64.const 27)) (i64.const 5)) (i64.const 0x52dce729)))
    (local.set $h (i64.xor (local.get $h) (i64.shr_u (local.get $h) (i64.const 33))))
    (br_if $m (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 8))) (i32.const 65536))))
   (br_if $o (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
  (local.get $h)))
