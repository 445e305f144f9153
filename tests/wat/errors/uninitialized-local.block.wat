;; What a block has set is unset behind it.
(module (func (param (ref func)) (local (ref func))
  (block (local.set 1 (local.get 0)) (drop (local.get 1)))
  (drop (local.get 1))))
;;= all: invalid
;;=   UninitializedLocal { index: 1 }
;;=   uninitialized local 1 (at offset 0x26, function 0, while reading a function body)
