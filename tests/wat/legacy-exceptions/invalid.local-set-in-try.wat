;; What the body has set is unset in the catch.
(module
  (tag $e)
  (func (param (ref func)) (local (ref func))
    try
      local.get 0
      local.set 1
    catch $e
      local.get 1
      drop
    end))
;;= all: invalid
;;=   UninitializedLocal { index: 1 }
;;=   uninitialized local 1 (at offset 0x2c, function 0, while reading a function body)
