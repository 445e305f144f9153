;;! W003 info
(module
  (func (export "update") (param $at i32) (param $len i32)
    (block $done (loop $next
      (br_if $done (i32.lt_u (local.get $len) (i32.const 64)))
      (local.set $at (i32.add (local.get $at) (i32.const 64)))
      (local.set $len (i32.sub (local.get $len) (i32.const 64)))
      (br $next)))))
